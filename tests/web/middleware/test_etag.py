import pytest

from app.web.middleware.etag import ETagMiddleware
from tests.pages import LESSON
from tests.web.asgi import BODY, FILE, START, message_types, sent_messages
from tests.web.requests import HTMX

STEP = f"{LESSON}/why-one-head-is-not-enough"
PUBLIC_CACHE_CONTROL = "public, max-age=0, s-maxage=300"
NO_ETAG = START | {"headers": []}


def etag_of(*messages):
    return dict(sent_messages(ETagMiddleware, *messages)[0]["headers"])[b"etag"]


def test_another_view_is_another_answer(client):
    tags = {client.get(f"{STEP}?text={text}").headers["etag"] for text in ("cat", "dog", "cats")}
    assert len(tags) == 3


def test_the_etag_is_of_the_whole_body_however_it_is_sent():
    first_half, second_half = BODY | {"body": b"a", "more_body": True}, BODY | {"body": b"ll"}
    whole = etag_of(NO_ETAG, BODY)
    assert etag_of(NO_ETAG, first_half, second_half) == whole
    assert etag_of(NO_ETAG, first_half, BODY) != whole


def test_an_etag_and_a_cache_control_of_its_own_stay():
    headers = [(b"etag", b'"a"'), (b"cache-control", b"no-store")]
    sent = sent_messages(ETagMiddleware, START | {"headers": headers}, BODY)
    assert sent[0]["headers"] == headers


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
    packed, htmx_type = {"Accept-Encoding"}, {"HX-Request-Type"}
    assert varies(client.get("/models")) == packed
    assert varies(client.get("/")) == packed | htmx_type
    assert varies(client.get(STEP)) == packed | htmx_type
    assert varies(client.get(f"{STEP}/numbers", headers=HTMX)) == packed | htmx_type
    assert varies(client.get(f"{STEP}?edit=1")) == htmx_type
    # A fragment's URL for the address bar depends on who asks, and from where.
    addressed = htmx_type | {"HX-Source", "HX-Current-URL"}
    assert varies(client.get(STEP, headers=HTMX)) == packed | addressed


def test_a_pathsend_message_passes_through_after_its_start():
    sent = sent_messages(ETagMiddleware, START, FILE)
    assert message_types(sent) == ["start", "pathsend"]
    assert sent[1]["path"] == "/a"


def htmx_header_names(answer):
    return {name for name in answer.headers if name.startswith("hx-")}


def test_htmx_headers_are_part_of_the_etag(client):
    path = f"{STEP}?text=a+cat&v=1"
    other_page, same_page, third_page = (
        client.get(path, headers=HTMX | {"HX-Current-URL": f"http://testserver{current}"})
        for current in (STEP, path, LESSON)
    )
    assert other_page.content == same_page.content
    assert htmx_header_names(other_page) == {"hx-push-url"}
    assert htmx_header_names(same_page) == {"hx-replace-url"}
    assert other_page.headers["etag"] != same_page.headers["etag"]
    assert third_page.headers["etag"] == other_page.headers["etag"]
