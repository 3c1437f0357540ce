import pytest

from app.web.middleware.head import HeadMiddleware
from tests.pages import LESSON
from tests.web.asgi import FILE, START, message_types, sent_messages

STEP = f"{LESSON}/why-one-head-is-not-enough"


@pytest.mark.parametrize(
    "path",
    [
        *("/", STEP, "/models", "/api/v1/models", "/api/v1/attention?text=cat", "/docs"),
        *("/healthz", f"{STEP}/qr.svg", f"{STEP}/export/map.csv", "/nowhere"),
    ],
)
def test_head_is_get_without_the_body(client, path):
    get, head = client.get(path), client.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    for name in ("content-type", "etag", "cache-control", "vary"):
        assert head.headers.get(name) == get.headers.get(name)


def test_no_file_is_sent_for_head():
    sent = sent_messages(HeadMiddleware, START, FILE, method="HEAD")
    assert message_types(sent) == ["start", "body"]
    assert sent[1]["body"] == b""
