"""The application as a whole: the order of its middleware, its routes, what it is created from."""

import pytest
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse

from app.application import build_middleware, create_app
from app.lesson import load_lessons
from app.lesson.loader import RESERVED_SLUGS
from app.settings import Settings, site_folder
from tests.coroutines import run_coroutine
from tests.web.asgi import BODY, HINT, START, TRAILERS, message_types, sent_messages


class PlainErrors:
    @staticmethod
    def response(_, status, message=""):
        return PlainTextResponse(message, status)


OUR_MIDDLEWARE = [
    pytest.param(each, id=each.cls.__name__)
    for each in build_middleware(Settings(), PlainErrors())
    if each.cls not in (CORSMiddleware, GZipMiddleware)
]


@pytest.mark.parametrize("middleware", OUR_MIDDLEWARE)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    "messages",
    [
        (HINT, START, BODY, TRAILERS),
        (START, HINT, BODY),
        (START, {**BODY, "more_body": True}, HINT),
    ],
)
def test_a_middleware_passes_on_every_message_in_order(middleware, method, messages):
    sent = sent_messages(
        lambda app: middleware.cls(app, *middleware.args, **middleware.kwargs),
        *messages,
        method=method,
    )
    assert message_types(sent) == message_types(messages)
    is_bodiless = middleware.cls.__name__ == "HeadMiddleware" and method == "HEAD"
    body = b"".join(message.get("body", b"") for message in sent)
    assert body == (b"" if is_bodiless else b"all")


@pytest.mark.parametrize("middleware", OUR_MIDDLEWARE)
@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_a_middleware_leaves_what_is_no_http_request_alone(middleware, kind):
    calls = []

    async def app(*call):
        calls.append(call)

    call = ({"type": kind}, object(), object())
    run_coroutine(middleware.cls(app, *middleware.args, **middleware.kwargs)(*call))
    assert calls == [call]


def test_the_reserved_slugs_are_those_that_would_hide_a_route(models):
    slugs = {lesson.slug for lesson in load_lessons(site_folder("lessons"), models).lessons}
    first_segments = {route.path.split("/")[1] for route in create_app().routes}
    literal_segments = {each for each in first_segments if each and not each.startswith("{")}
    assert literal_segments - slugs == set(RESERVED_SLUGS)


def test_pages_are_compressed(client, step_1):
    assert client.get(step_1).headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_writing_methods_are_not_allowed(client, method):
    answer = client.request(method, "/api/v1/models")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
