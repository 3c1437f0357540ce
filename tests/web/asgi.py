"""ASGI applications and middleware in tests."""

from starlette.testclient import TestClient

from app.application import create_app
from app.settings import Settings
from tests.coroutines import run_coroutine

START = {"type": "http.response.start", "status": 200, "headers": [(b"etag", b'"a"')]}
BODY = {"type": "http.response.body", "body": b"all"}
HINT = {"type": "http.response.early_hint", "links": []}
TRAILERS = {"type": "http.response.trailers", "headers": []}
FILE = {"type": "http.response.pathsend", "path": "/a"}


def make_client(**settings):
    """A client of the whole application with some settings; a redirect is an answer."""
    app = create_app(Settings(**settings))
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)


def find_middleware(app, middleware_class):
    """The middleware of a class in an application that has answered a request."""
    layer = app.middleware_stack
    while not isinstance(layer, middleware_class):
        layer = layer.app
    return layer


def http_scope(method="GET", path="/", headers=(), **more):
    return {"type": "http", "method": method, "path": path, "query_string": b"",
            "scheme": "http", "headers": [*headers], **more}  # fmt: skip


def sent_messages(middleware, *messages, **scope):
    """What a middleware sends for a request, if the application behind it sends `messages`."""

    async def app(_scope, _receive, send):
        for message in messages:
            await send({**message, "headers": [*message.get("headers", ())]})

    sent = []

    async def send(message):
        sent.append(message)

    run_coroutine(middleware(app)(http_scope(**scope), None, send))
    return sent


def message_types(messages):
    return [message["type"].removeprefix("http.response.") for message in messages]
