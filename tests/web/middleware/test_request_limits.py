import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from app.web.middleware.error_pages import ErrorPageMiddleware
from app.web.middleware.request_limits import RequestLimitsMiddleware
from tests.web.asgi import make_client


@pytest.mark.parametrize("path", ["/", "/api/v1/attention"])
def test_a_query_that_is_too_long_is_refused(client, path):
    response = client.get(f"{path}?text={'a' * 40_000}")
    assert response.status_code == 414
    assert "32,768 bytes" in response.text


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({}, "<html"), ({"HX-Request-Type": "partial"}, '<div class="problem">')],
)
def test_a_refusal_is_a_page_for_browsers_and_a_fragment_for_htmx(
    client, step_1, headers, expected
):
    response = client.get(f"{step_1}?text={'a' * 40_000}", headers=headers)
    assert response.status_code == 414
    assert expected in response.text
    assert ("<html" in response.text) == (not headers)


def test_a_large_body_is_refused_without_reading(client):
    response = client.post("/healthz", content=b"x" * 10_000_000)
    assert response.status_code == 413
    assert response.headers["x-frame-options"] == "DENY"


async def body_reading_app(scope, receive, send):
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await PlainTextResponse("read")(scope, receive, send)


def error_page(_, status, message):
    return PlainTextResponse(message, status)


@pytest.mark.parametrize(("chunks", "status"), [(1, 200), (160, 413)])
def test_a_body_without_a_length_is_read_up_to_the_limit(chunks, status):
    limits = RequestLimitsMiddleware(body_reading_app, 100, 65_536)
    client = TestClient(ErrorPageMiddleware(limits, error_page))
    response = client.post("/", content=(b"x" * 60_000 for _ in range(chunks)))
    assert response.status_code == status


@pytest.mark.parametrize("secret", ["", "a secret"])
def test_a_form_without_a_length_is_read_up_to_the_limit(secret, caplog):
    client = make_client(secret=secret)
    response = client.post("/assign/codes", content=(b"x" * 60_000 for _ in range(160)))
    assert response.status_code == 413
    assert "at most 65,536 bytes" in response.text
    assert response.headers["x-frame-options"] == "DENY"
    assert not caplog.text.count("Error")


def test_limits_can_be_set():
    small = make_client(max_query_bytes=20, max_body_bytes=5)
    assert small.get("/healthz?" + "a" * 21).status_code == 414
    assert small.get("/healthz?" + "a" * 20).status_code == 200
    assert small.post("/assign/codes", content=b"lines=").status_code == 413
    assert small.post("/assign/codes", content=b"lines").status_code == 200
