import logging

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from app.web.middleware.security_headers import (
    SECURITY_HEADERS,
    QueryStrippingFilter,
    SecurityMiddleware,
)
from app.web.routes import step

TYPED = "xylophone"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/multi-head-attention/1", 307),
        ("/multi-head-attention/why-one-head-is-not-enough?model=h3", 422),
        ("/nowhere", 404),
        ("/api/v1/models", 200),
        ("/api/v1/attention", 422),
        ("/healthz", 200),
        ("/openapi.json", 200),
    ],
)
def test_every_response_carries_the_headers(client, path, status):
    response = client.get(path)
    assert response.status_code == status
    for name, value in SECURITY_HEADERS.items():
        assert response.headers[name] == value


def test_the_headers_are_these():
    assert SECURITY_HEADERS == {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
            " frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def test_pages_are_compressed(client, step_1):
    assert client.get(step_1).headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({}, "<html"), ({"HX-Request-Type": "partial"}, '<div class="problem">')],
)
def test_a_refusal_is_a_page_to_people_and_a_fragment_to_the_lab(client, step_1, headers, expected):
    response = client.get(f"{step_1}?text={'a' * 40_000}", headers=headers)
    assert response.status_code == 414
    assert expected in response.text
    assert ("<html" in response.text) == (not headers)


def test_static_files_carry_the_headers_and_may_be_kept(client):
    html = client.get("/").text
    address = html.split('rel="stylesheet" href="')[1].split('"')[0]
    response = client.get(address)
    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/api/v1/attention"])
def test_an_address_that_is_too_long_is_refused(client, path):
    response = client.get(f"{path}?text={'a' * 40_000}")
    assert response.status_code == 414
    assert "32,768 bytes" in response.text
    assert response.headers["content-security-policy"]


def test_a_large_body_is_refused_unread(client):
    response = client.post("/healthz", content=b"x" * 10_000_000)
    assert response.status_code == 413
    assert response.headers["content-security-policy"]


async def reads_its_body(scope, receive, send):
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await PlainTextResponse("read")(scope, receive, send)


async def fails_half_way(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ValueError(TYPED)


def guarded(app):
    def error_page(_, status, message):
        return PlainTextResponse(message or "failed", status)

    return TestClient(
        SecurityMiddleware(app, Settings(), error_page), raise_server_exceptions=False
    )


@pytest.mark.parametrize(("chunks", "status"), [(1, 200), (160, 413)])
def test_a_body_without_a_length_is_read_up_to_the_limit(chunks, status):
    response = guarded(reads_its_body).post("/", content=(b"x" * 60_000 for _ in range(chunks)))
    assert response.status_code == status
    assert response.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("secret", ["", "a secret"])
def test_a_form_without_a_length_is_read_up_to_the_limit(secret, caplog):
    client = TestClient(create_app(Settings(secret=secret)))
    response = client.post("/assign/codes", content=(b"x" * 60_000 for _ in range(160)))
    assert response.status_code == 413
    assert "at most 65,536 bytes" in response.text
    assert response.headers["x-frame-options"] == "DENY"
    assert not caplog.text.count("Error")


def test_an_answer_that_fails_half_way_is_logged_and_not_answered_twice(caplog):
    response = guarded(fails_half_way).get("/")
    assert response.status_code == 200
    assert response.text == ""
    assert "ValueError in GET /" in caplog.text
    assert TYPED not in caplog.text


async def fails(*_):
    raise ValueError(TYPED)


def test_a_path_cannot_put_lines_into_the_log(caplog):
    guarded(fails).get("/a%0aERROR%20all%20is%20lost")
    (fault,) = [record.getMessage() for record in caplog.records if record.name == "headwise"]
    assert fault.splitlines()[0] == "ValueError in GET /a%0AERROR%20all%20is%20lost"


def test_where_the_page_of_a_fault_fails_too_the_answer_is_plain_and_guarded(caplog):
    def broken_page(*_):
        raise KeyError(TYPED)

    app = SecurityMiddleware(fails, Settings(), broken_page)
    response = TestClient(app, raise_server_exceptions=False).get("/a")
    assert response.status_code == 500
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["x-frame-options"] == "DENY"
    assert "Something broke on our side" in response.text
    assert "ValueError in GET /a" in caplog.text
    assert "KeyError in GET /a" in caplog.text
    assert TYPED not in caplog.text


@pytest.mark.parametrize("limit", ["max_query_bytes", "max_body_bytes"])
def test_where_the_page_of_a_refusal_fails_the_answer_is_plain_and_guarded(limit):
    def broken_page(*_):
        raise KeyError(TYPED)

    app = SecurityMiddleware(reads_its_body, Settings(**{limit: 1}), broken_page)
    client = TestClient(app, raise_server_exceptions=False)
    response = client.post("/a?bc", content=(b"x" for _ in range(2)))
    assert response.status_code == 500
    assert response.headers["x-frame-options"] == "DENY"


def test_limits_can_be_set():
    small = TestClient(create_app(Settings(max_query_bytes=20)))
    assert small.get("/healthz?" + "a" * 21).status_code == 414
    assert small.get("/healthz?" + "a" * 20).status_code == 200


@pytest.fixture
def failing(monkeypatch):
    def fail(*_, **__):
        raise ValueError(f"cannot read {TYPED}")

    monkeypatch.setattr(step, "parse_view", fail)
    return TestClient(create_app(), raise_server_exceptions=False)


def test_a_fault_of_ours_is_a_page_with_headers_and_no_traceback(failing, step_1):
    response = failing.get(f"{step_1}?text={TYPED}")
    assert response.status_code == 500
    assert "Something broke on our side" in response.text
    assert "Traceback" not in response.text
    assert TYPED not in response.text
    assert response.headers["content-security-policy"]


def test_a_fault_is_logged_with_its_place_and_without_what_was_typed(failing, step_1, caplog):
    with caplog.at_level(logging.DEBUG):
        failing.get(f"{step_1}?text={TYPED}")
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("httpx")]
    (fault,) = [message for message in ours if f"ValueError in GET {step_1}" in message]
    assert "app/web/routes/lesson.py" in fault
    assert not any(f"text={TYPED}" in each or f"read {TYPED}" in each for each in ours)


def test_the_access_log_has_no_queries():
    record = logging.LogRecord(
        "uvicorn.access",
        logging.INFO,
        "",
        0,
        '%s - "%s %s HTTP/%s" %d',
        ("127.0.0.1:1", "GET", f"/a?text={TYPED}", "1.1", 200),
        None,
    )
    assert QueryStrippingFilter().filter(record)
    assert record.getMessage() == '127.0.0.1:1 - "GET /a HTTP/1.1" 200'
    access = logging.getLogger("uvicorn.access")
    assert any(isinstance(each, QueryStrippingFilter) for each in access.filters)
