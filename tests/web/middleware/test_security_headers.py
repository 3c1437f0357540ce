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

TYPED_TEXT = "xylophone"


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
def test_an_error_is_a_page_for_browsers_and_a_fragment_for_htmx(client, step_1, headers, expected):
    response = client.get(f"{step_1}?text={'a' * 40_000}", headers=headers)
    assert response.status_code == 414
    assert expected in response.text
    assert ("<html" in response.text) == (not headers)


def test_static_files_carry_the_headers_and_are_cacheable(client):
    html = client.get("/").text
    address = html.split('rel="stylesheet" href="')[1].split('"')[0]
    response = client.get(address)
    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/api/v1/attention"])
def test_a_url_that_is_too_long_is_refused(client, path):
    response = client.get(f"{path}?text={'a' * 40_000}")
    assert response.status_code == 414
    assert "32,768 bytes" in response.text
    assert response.headers["content-security-policy"]


def test_a_large_body_is_refused_without_reading(client):
    response = client.post("/healthz", content=b"x" * 10_000_000)
    assert response.status_code == 413
    assert response.headers["content-security-policy"]


async def body_reading_app(scope, receive, send):
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await PlainTextResponse("read")(scope, receive, send)


async def app_failing_midway(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ValueError(TYPED_TEXT)


def guarded_client(app):
    def error_page(_, status, message):
        return PlainTextResponse(message or "failed", status)

    return TestClient(
        SecurityMiddleware(app, Settings(), error_page), raise_server_exceptions=False
    )


@pytest.mark.parametrize(("chunks", "status"), [(1, 200), (160, 413)])
def test_a_body_without_a_length_is_read_up_to_the_limit(chunks, status):
    response = guarded_client(body_reading_app).post(
        "/", content=(b"x" * 60_000 for _ in range(chunks))
    )
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


def test_an_answer_that_fails_midway_is_logged_and_not_answered_twice(caplog):
    response = guarded_client(app_failing_midway).get("/")
    assert response.status_code == 200
    assert response.text == ""
    assert "ValueError in GET /" in caplog.text
    assert TYPED_TEXT not in caplog.text


async def failing_app(*_):
    raise ValueError(TYPED_TEXT)


def test_a_path_cannot_put_lines_into_the_log(caplog):
    guarded_client(failing_app).get("/a%0aERROR%20all%20is%20lost")
    (fault,) = [record.getMessage() for record in caplog.records if record.name == "headwise"]
    assert fault.splitlines()[0] == "ValueError in GET /a%0AERROR%20all%20is%20lost"


def test_if_the_error_page_fails_too_the_answer_is_plain_text_with_headers(caplog):
    def broken_page(*_):
        raise KeyError(TYPED_TEXT)

    app = SecurityMiddleware(failing_app, Settings(), broken_page)
    response = TestClient(app, raise_server_exceptions=False).get("/a")
    assert response.status_code == 500
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["x-frame-options"] == "DENY"
    assert "Something broke on our side" in response.text
    assert "ValueError in GET /a" in caplog.text
    assert "KeyError in GET /a" in caplog.text
    assert TYPED_TEXT not in caplog.text


@pytest.mark.parametrize("limit", ["max_query_bytes", "max_body_bytes"])
def test_if_the_refusal_page_fails_the_answer_has_headers(limit):
    def broken_page(*_):
        raise KeyError(TYPED_TEXT)

    app = SecurityMiddleware(body_reading_app, Settings(**{limit: 1}), broken_page)
    client = TestClient(app, raise_server_exceptions=False)
    response = client.post("/a?bc", content=(b"x" for _ in range(2)))
    assert response.status_code == 500
    assert response.headers["x-frame-options"] == "DENY"


def test_limits_can_be_set():
    small = TestClient(create_app(Settings(max_query_bytes=20)))
    assert small.get("/healthz?" + "a" * 21).status_code == 414
    assert small.get("/healthz?" + "a" * 20).status_code == 200


@pytest.fixture
def failing_client(monkeypatch):
    def fail(*_, **__):
        raise ValueError(f"cannot read {TYPED_TEXT}")

    monkeypatch.setattr(step, "parse_view", fail)
    return TestClient(create_app(), raise_server_exceptions=False)


def test_a_server_error_is_a_page_with_headers_and_no_traceback(failing_client, step_1):
    response = failing_client.get(f"{step_1}?text={TYPED_TEXT}")
    assert response.status_code == 500
    assert "Something broke on our side" in response.text
    assert "Traceback" not in response.text
    assert TYPED_TEXT not in response.text
    assert response.headers["content-security-policy"]


def test_a_server_error_is_logged_with_its_location_and_without_typed_text(
    failing_client, step_1, caplog
):
    with caplog.at_level(logging.DEBUG):
        failing_client.get(f"{step_1}?text={TYPED_TEXT}")
    messages = [r.getMessage() for r in caplog.records if not r.name.startswith("httpx")]
    (fault,) = [message for message in messages if f"ValueError in GET {step_1}" in message]
    assert "app/web/routes/lesson.py" in fault
    assert not any(
        f"text={TYPED_TEXT}" in each or f"read {TYPED_TEXT}" in each for each in messages
    )


def test_the_access_log_has_no_queries():
    record = logging.LogRecord(
        "uvicorn.access",
        logging.INFO,
        "",
        0,
        '%s - "%s %s HTTP/%s" %d',
        ("127.0.0.1:1", "GET", f"/a?text={TYPED_TEXT}", "1.1", 200),
        None,
    )
    assert QueryStrippingFilter().filter(record)
    assert record.getMessage() == '127.0.0.1:1 - "GET /a HTTP/1.1" 200'
    access = logging.getLogger("uvicorn.access")
    assert any(isinstance(each, QueryStrippingFilter) for each in access.filters)
