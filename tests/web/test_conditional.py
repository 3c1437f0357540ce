import pytest

from app.web.middleware.conditional_get import (
    ConditionalGetMiddleware,
    ETagMiddleware,
    HeadMiddleware,
)
from tests.coroutines import finished
from tests.pages import LESSON

STEP = f"{LESSON}/why-one-head-is-not-enough"
PATHS = ["/", STEP, "/models", "/api/v1/models", "/api/v1/attention?text=cat", "/docs", "/healthz"]


@pytest.mark.parametrize("path", [*PATHS, f"{STEP}/qr.svg", f"{STEP}/export/map.csv", "/nowhere"])
def test_head_is_get_without_the_body(client, path):
    get, head = client.get(path), client.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    for name in ("content-type", "etag", "cache-control", "vary"):
        assert head.headers.get(name) == get.headers.get(name)


@pytest.mark.parametrize("path", PATHS)
def test_what_is_known_already_is_not_sent_again(client, path):
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    listed = client.get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert listed.status_code == 304
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_another_view_is_another_answer(client):
    tags = {client.get(f"{STEP}?text={text}").headers["etag"] for text in ("cat", "dog", "cats")}
    assert len(tags) == 3


def test_only_what_is_there_can_be_known(client):
    answer = client.get("/nowhere", headers={"If-None-Match": "*"})
    assert answer.status_code == 404
    assert "etag" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(client, method):
    answer = client.request(method, "/api/v1/models")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


SHARED = "public, max-age=0, s-maxage=300"


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/docs", "/openapi.json", "/models", "/models/headwise-h8", "/assign", "/offline"),
        *(LESSON, f"{LESSON}/3?text=a+cat", STEP, f"{STEP}?edit=1&text=a+cat", f"{LESSON}/end"),
        *(f"{STEP}/{beside}" for beside in ("numbers", "handout", "qr.svg", "export/map.csv")),
        *("/api/v1/models", "/api/v1/attention?text=cat", f"/api/v1/labs{STEP}"),
    ],
)
def test_what_follows_from_its_address_may_be_kept_for_a_class_and_is_asked_about_by_browsers(
    client, path
):
    answer = client.get(path)
    assert answer.status_code < 400
    assert answer.headers["cache-control"] == SHARED


@pytest.mark.parametrize("path", ["/nowhere", f"{STEP}?model=h3", "/api/v1/attention"])
def test_what_went_wrong_is_asked_for_anew(client, path):
    assert client.get(path).headers["cache-control"] == "no-cache"


def test_whether_the_server_is_up_is_kept_by_nobody(client):
    assert client.get("/healthz").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [f"{LESSON}/end?results=1rr", f"{LESSON}/end?results=1rr&name=Ann", "/assign/codes?lines=Ann"],
)
def test_what_names_somebody_is_for_one_browser(client, path):
    assert client.get(path).headers["cache-control"] == "private, no-cache"


def varies(answer):
    return {name.strip() for name in answer.headers["vary"].split(",")}


def test_caches_are_told_whatever_changes_an_answer(client):
    fragment = {"HX-Request-Type": "partial"}
    packed, asked_by = {"Accept-Encoding"}, {"HX-Request-Type"}
    assert varies(client.get("/")) == packed
    assert varies(client.get(STEP)) == packed | asked_by
    assert varies(client.get(f"{STEP}/numbers", headers=fragment)) == packed | asked_by
    assert varies(client.get(f"{STEP}?edit=1")) == asked_by
    # Its address for the browser's bar depends on who asks, and from where.
    addressed = asked_by | {"HX-Source", "HX-Current-URL"}
    assert varies(client.get(STEP, headers=fragment)) == packed | addressed


def test_a_known_answer_says_nothing_of_a_body_that_it_does_not_have(client):
    etag = client.get(STEP).headers["etag"]
    again = client.get(STEP, headers={"If-None-Match": etag})
    assert not {"content-length", "content-type", "content-encoding"} & set(again.headers)
    assert again.headers["cache-control"] == SHARED
    assert "HX-Request-Type" in again.headers["vary"]


START = {"type": "http.response.start", "status": 200, "headers": [(b"etag", b'"a"')]}
BODY = {"type": "http.response.body", "body": b"all"}
HINT = {"type": "http.response.early_hint", "links": []}
TRAILERS = {"type": "http.response.trailers", "headers": []}
FILE = {"type": "http.response.pathsend", "path": "/a"}


def sent_by(layer, *messages, method="GET", headers=()):
    async def app(_scope, _receive, send):
        for message in messages:
            await send({**message, "headers": [*message.get("headers", ())]})

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "headers": [*headers]}
    finished(layer(app)(scope, None, send))
    return sent


def kinds(messages):
    return [message["type"].removeprefix("http.response.") for message in messages]


@pytest.mark.parametrize("layer", [ETagMiddleware, ConditionalGetMiddleware, HeadMiddleware])
@pytest.mark.parametrize(
    "messages",
    [
        (HINT, START, BODY, TRAILERS),
        (START, HINT, BODY),
        (START, {**BODY, "more_body": True}, HINT),
    ],
)
def test_messages_of_other_kinds_go_through_in_their_order(layer, messages):
    sent = sent_by(layer, *messages)
    assert kinds(sent) == kinds(messages)
    assert b"".join(message.get("body", b"") for message in sent) == b"all"


def test_a_file_that_the_server_is_to_send_goes_through_behind_its_start():
    sent = sent_by(ETagMiddleware, START, FILE)
    assert kinds(sent) == ["start", "pathsend"]
    assert sent[1]["path"] == "/a"


@pytest.mark.parametrize(
    ("layer", "asked"),
    [
        (HeadMiddleware, {"method": "HEAD"}),
        (ConditionalGetMiddleware, {"headers": [(b"if-none-match", b'"a"')]}),
    ],
)
def test_no_file_is_sent_where_no_body_is_wanted(layer, asked):
    sent = sent_by(layer, START, FILE, **asked)
    assert kinds(sent) == ["start", "body"]
    assert sent[1]["body"] == b""


def asked_from(client, address, **more):
    headers = {"HX-Request-Type": "partial", "HX-Current-URL": f"http://testserver{address}"}
    return client.get(f"{STEP}?text=a+cat&v=1", headers=headers | more)


def told(answer):
    """What an answer tells htmx."""
    return {name: value for name, value in answer.headers.items() if name.startswith("hx-")}


def test_what_htmx_is_told_is_part_of_the_answer(client):
    elsewhere = asked_from(client, STEP)
    here = asked_from(client, f"{STEP}?text=a+cat&v=1")
    assert elsewhere.content == here.content
    assert told(elsewhere).keys() == {"hx-push-url"}
    assert told(here).keys() == {"hx-replace-url"}
    assert elsewhere.headers["etag"] != here.headers["etag"]
    assert asked_from(client, LESSON).headers["etag"] == elsewhere.headers["etag"]


def test_a_known_answer_tells_htmx_what_it_told_before(client):
    elsewhere = asked_from(client, STEP)
    known = {"If-None-Match": elsewhere.headers["etag"]}
    again = asked_from(client, STEP, **known)
    assert again.status_code == 304
    assert told(again) == told(elsewhere)
    assert asked_from(client, f"{STEP}?text=a+cat&v=1", **known).status_code == 200
