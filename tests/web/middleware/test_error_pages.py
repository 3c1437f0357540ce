import logging

import pytest
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from app.web.middleware.error_pages import ErrorPageMiddleware
from app.web.routes import step
from tests.web.asgi import make_client

TYPED_TEXT = "xylophone"


def error_page(_, status, message):
    return PlainTextResponse(message or "failed", status)


def broken_page(*_):
    raise KeyError(TYPED_TEXT)


async def failing_app(*_):
    raise ValueError(TYPED_TEXT)


async def app_failing_midway(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ValueError(TYPED_TEXT)


def client_of(app, page=error_page):
    return TestClient(ErrorPageMiddleware(app, page), raise_server_exceptions=False)


def test_an_http_exception_is_answered_with_its_status_and_not_logged(caplog):
    async def refusing_app(*_):
        raise HTTPException(418, "I am a teapot.")

    response = client_of(refusing_app).get("/")
    assert (response.status_code, response.text) == (418, "I am a teapot.")
    assert not caplog.text


def test_an_exception_is_a_500_and_logged_without_its_message(caplog):
    response = client_of(failing_app).get("/a")
    assert (response.status_code, response.text) == (500, "failed")
    assert "ValueError in GET /a" in caplog.text
    assert TYPED_TEXT not in caplog.text


@pytest.mark.parametrize("error", [ValueError(TYPED_TEXT), HTTPException(413, TYPED_TEXT)])
def test_a_response_that_fails_midway_is_not_answered_twice(error):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    response = client_of(app).get("/")
    assert response.status_code == 200
    assert response.text == ""


def test_a_response_that_fails_midway_is_logged(caplog):
    client_of(app_failing_midway).get("/")
    assert "ValueError in GET /" in caplog.text
    assert TYPED_TEXT not in caplog.text


def test_a_response_that_is_too_late_for_its_status_is_logged(caplog):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise HTTPException(413, TYPED_TEXT)

    client_of(app).get("/")
    assert "HTTPException in GET /" in caplog.text
    assert TYPED_TEXT not in caplog.text


def test_the_headers_of_an_http_exception_are_sent():
    async def app(*_):
        raise HTTPException(405, headers={"Allow": "GET"})

    response = client_of(app).get("/")
    assert (response.status_code, response.headers["allow"]) == (405, "GET")


def test_a_path_cannot_put_lines_into_the_log(caplog):
    client_of(failing_app).get("/a%0aERROR%20all%20is%20lost")
    (error,) = [record.getMessage() for record in caplog.records if record.name == "headwise"]
    assert error.splitlines()[0] == "ValueError in GET /a%0AERROR%20all%20is%20lost"


def test_if_the_error_page_fails_too_the_answer_is_plain_text(caplog):
    response = client_of(failing_app, broken_page).get("/a")
    assert response.status_code == 500
    assert response.headers["content-type"].startswith("text/plain")
    assert "Something went wrong on our side" in response.text
    assert "ValueError in GET /a" in caplog.text
    assert "KeyError in GET /a" in caplog.text
    assert TYPED_TEXT not in caplog.text


@pytest.fixture
def failing_client(monkeypatch):
    def fail(*_, **__):
        raise ValueError(f"cannot read {TYPED_TEXT}")

    monkeypatch.setattr(step, "requested_view", fail)
    return make_client()


def test_a_server_error_is_a_page_with_headers_and_no_traceback(failing_client, step_1):
    response = failing_client.get(f"{step_1}?text={TYPED_TEXT}")
    assert response.status_code == 500
    assert "<html" in response.text
    assert "Something went wrong on our side" in response.text
    assert "Traceback" not in response.text
    assert TYPED_TEXT not in response.text
    assert response.headers["x-frame-options"] == "DENY"
    assert failing_client.head(f"{step_1}?text={TYPED_TEXT}").content == b""


def test_if_even_the_error_template_fails_the_answer_has_headers(monkeypatch):
    client = make_client()
    monkeypatch.setattr("app.web.rendering.templates.Templates.response", broken_page)
    response = client.get("/")
    assert response.status_code == 500
    assert "Something went wrong on our side" in response.text
    assert response.headers["x-frame-options"] == "DENY"


def test_a_server_error_is_logged_with_its_location_and_without_typed_text(
    failing_client, step_1, caplog
):
    with caplog.at_level(logging.DEBUG):
        failing_client.get(f"{step_1}?text={TYPED_TEXT}")
    messages = [r.getMessage() for r in caplog.records if not r.name.startswith("httpx")]
    (error,) = [message for message in messages if f"ValueError in GET {step_1}" in message]
    assert "app/web/routes/step.py" in error
    assert not any(
        f"text={TYPED_TEXT}" in each or f"read {TYPED_TEXT}" in each for each in messages
    )
