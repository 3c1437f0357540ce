import pytest

from app.web.middleware.conditional_get import ConditionalGetMiddleware
from tests.pages import LESSON
from tests.web.asgi import BODY, FILE, START, message_types, sent_messages
from tests.web.requests import HTMX

STEP = f"{LESSON}/why-one-head-is-not-enough"


@pytest.mark.parametrize(
    "path",
    ["/", STEP, "/models", "/api/v1/models", "/api/v1/attention?text=cat", "/docs", "/healthz"],
)
def test_a_matching_etag_is_answered_without_a_body(client, path):
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    listed = client.get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert listed.status_code == 304
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("etag", ["*", '"a"', 'W/"a"', '"b", "a"'])
@pytest.mark.parametrize("status", [200, 404])
def test_only_a_successful_answer_matches(status, etag):
    headers = [(b"if-none-match", etag.encode())]
    start = START | {"status": status}
    sent = sent_messages(ConditionalGetMiddleware, start, BODY, headers=headers)
    assert sent[0]["status"] == (304 if status == 200 else status)
    assert sent[1]["body"] == (b"" if status == 200 else b"all")


def test_a_missing_page_never_matches_an_etag(client):
    answer = client.get("/nowhere", headers={"If-None-Match": "*"})
    assert answer.status_code == 404
    assert "etag" not in answer.headers


def test_a_not_modified_answer_has_no_body_headers(client):
    page = client.get(STEP)
    again = client.get(STEP, headers={"If-None-Match": page.headers["etag"]})
    assert not {"content-length", "content-type", "content-encoding"} & set(again.headers)
    assert again.headers["cache-control"] == page.headers["cache-control"]
    assert again.headers["vary"] == page.headers["vary"]


def test_no_file_is_sent_with_304():
    headers = [(b"if-none-match", b'"a"')]
    sent = sent_messages(ConditionalGetMiddleware, START, FILE, headers=headers)
    assert message_types(sent) == ["start", "body"]
    assert sent[1]["body"] == b""


def test_a_not_modified_answer_repeats_its_htmx_headers(client):
    path = f"{STEP}?text=a+cat&v=1"
    elsewhere = HTMX | {"HX-Current-URL": f"http://testserver{STEP}"}
    first = client.get(path, headers=elsewhere)
    known = {"If-None-Match": first.headers["etag"]}
    again = client.get(path, headers=elsewhere | known)
    assert again.status_code == 304
    assert again.headers["hx-push-url"] == first.headers["hx-push-url"]
    here = HTMX | {"HX-Current-URL": f"http://testserver{path}"}
    assert client.get(path, headers=here | known).status_code == 200
