import pytest

from app.web.middleware.conditional_get import (
    ConditionalGetMiddleware,
    ETagMiddleware,
    HeadMiddleware,
)
from tests.coroutines import run_coroutine
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
def test_a_matching_etag_is_answered_without_a_body(client, path):
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


def test_a_missing_page_never_matches_an_etag(client):
    answer = client.get("/nowhere", headers={"If-None-Match": "*"})
    assert answer.status_code == 404
    assert "etag" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_writing_methods_are_not_allowed(client, method):
    answer = client.request(method, "/api/v1/models")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


PUBLIC_CACHE_CONTROL = "public, max-age=0, s-maxage=300"


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/docs", "/openapi.json", "/models", "/models/headwise-h8", "/assign", "/offline"),
        *(LESSON, f"{LESSON}/3?text=a+cat", STEP, f"{STEP}?edit=1&text=a+cat", f"{LESSON}/end"),
        *(f"{STEP}/{beside}" for beside in ("numbers", "handout", "qr.svg", "export/map.csv")),
        *("/api/v1/models", "/api/v1/attention?text=cat", f"/api/v1/labs{STEP}"),
    ],
)
def test_answers_that_depend_on_the_url_alone_are_publicly_cacheable(client, path):
    answer = client.get(path)
    assert answer.status_code < 400
    assert answer.headers["cache-control"] == PUBLIC_CACHE_CONTROL


@pytest.mark.parametrize("path", ["/nowhere", f"{STEP}?model=h3", "/api/v1/attention"])
def test_errors_are_not_cached(client, path):
    assert client.get(path).headers["cache-control"] == "no-cache"


def test_the_health_check_is_never_stored(client):
    assert client.get("/healthz").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [f"{LESSON}/end?results=1rr", f"{LESSON}/end?results=1rr&name=Ann", "/assign/codes?lines=Ann"],
)
def test_answers_with_names_are_private(client, path):
    assert client.get(path).headers["cache-control"] == "private, no-cache"


def varies(answer):
    return {name.strip() for name in answer.headers["vary"].split(",")}


def test_vary_lists_every_header_that_changes_an_answer(client):
    fragment = {"HX-Request-Type": "partial"}
    packed, htmx_type = {"Accept-Encoding"}, {"HX-Request-Type"}
    assert varies(client.get("/")) == packed
    assert varies(client.get(STEP)) == packed | htmx_type
    assert varies(client.get(f"{STEP}/numbers", headers=fragment)) == packed | htmx_type
    assert varies(client.get(f"{STEP}?edit=1")) == htmx_type
    # Its address for the browser's bar depends on who asks, and from where.
    addressed = htmx_type | {"HX-Source", "HX-Current-URL"}
    assert varies(client.get(STEP, headers=fragment)) == packed | addressed


def test_a_not_modified_answer_has_no_body_headers(client):
    etag = client.get(STEP).headers["etag"]
    again = client.get(STEP, headers={"If-None-Match": etag})
    assert not {"content-length", "content-type", "content-encoding"} & set(again.headers)
    assert again.headers["cache-control"] == PUBLIC_CACHE_CONTROL
    assert "HX-Request-Type" in again.headers["vary"]


START = {"type": "http.response.start", "status": 200, "headers": [(b"etag", b'"a"')]}
BODY = {"type": "http.response.body", "body": b"all"}
HINT = {"type": "http.response.early_hint", "links": []}
TRAILERS = {"type": "http.response.trailers", "headers": []}
FILE = {"type": "http.response.pathsend", "path": "/a"}


def sent_messages(middleware, *messages, method="GET", headers=()):
    async def app(_scope, _receive, send):
        for message in messages:
            await send({**message, "headers": [*message.get("headers", ())]})

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "headers": [*headers]}
    run_coroutine(middleware(app)(scope, None, send))
    return sent


def message_types(messages):
    return [message["type"].removeprefix("http.response.") for message in messages]


@pytest.mark.parametrize("middleware", [ETagMiddleware, ConditionalGetMiddleware, HeadMiddleware])
@pytest.mark.parametrize(
    "messages",
    [
        (HINT, START, BODY, TRAILERS),
        (START, HINT, BODY),
        (START, {**BODY, "more_body": True}, HINT),
    ],
)
def test_other_messages_pass_through_in_order(middleware, messages):
    sent = sent_messages(middleware, *messages)
    assert message_types(sent) == message_types(messages)
    assert b"".join(message.get("body", b"") for message in sent) == b"all"


def test_a_pathsend_message_passes_through_after_its_start():
    sent = sent_messages(ETagMiddleware, START, FILE)
    assert message_types(sent) == ["start", "pathsend"]
    assert sent[1]["path"] == "/a"


@pytest.mark.parametrize(
    ("middleware", "request_options"),
    [
        (HeadMiddleware, {"method": "HEAD"}),
        (ConditionalGetMiddleware, {"headers": [(b"if-none-match", b'"a"')]}),
    ],
)
def test_no_file_is_sent_where_no_body_is_allowed(middleware, request_options):
    sent = sent_messages(middleware, START, FILE, **request_options)
    assert message_types(sent) == ["start", "body"]
    assert sent[1]["body"] == b""


def get_from_page(client, address, **more):
    headers = {"HX-Request-Type": "partial", "HX-Current-URL": f"http://testserver{address}"}
    return client.get(f"{STEP}?text=a+cat&v=1", headers=headers | more)


def htmx_headers(answer):
    """What an answer tells htmx."""
    return {name: value for name, value in answer.headers.items() if name.startswith("hx-")}


def test_htmx_headers_are_part_of_the_etag(client):
    other_page = get_from_page(client, STEP)
    same_page = get_from_page(client, f"{STEP}?text=a+cat&v=1")
    assert other_page.content == same_page.content
    assert htmx_headers(other_page).keys() == {"hx-push-url"}
    assert htmx_headers(same_page).keys() == {"hx-replace-url"}
    assert other_page.headers["etag"] != same_page.headers["etag"]
    assert get_from_page(client, LESSON).headers["etag"] == other_page.headers["etag"]


def test_a_not_modified_answer_repeats_its_htmx_headers(client):
    other_page = get_from_page(client, STEP)
    known = {"If-None-Match": other_page.headers["etag"]}
    again = get_from_page(client, STEP, **known)
    assert again.status_code == 304
    assert htmx_headers(again) == htmx_headers(other_page)
    assert get_from_page(client, f"{STEP}?text=a+cat&v=1", **known).status_code == 200
