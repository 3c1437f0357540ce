import pytest
from starlette.testclient import TestClient

from app.web.middleware.response_cache import ENTRY_OVERHEAD_BYTES, ResponseCacheMiddleware
from app.web.routes import step
from tests.coroutines import run_coroutine
from tests.pages import LESSON
from tests.web.asgi import find_middleware, http_scope, make_client
from tests.web.requests import HTMX, TYPING

STEP = f"{LESSON}/why-one-head-is-not-enough"
CACHED_PATHS = [
    "/",
    STEP,
    f"{STEP}?text=Birds+sing",
    f"{STEP}/numbers",
    f"{STEP}/handout",
    "/models",
]


class CountingApp:
    """An application that tells how often it was asked, and answers as it is told to."""

    def __init__(self, body=b"answer", status=200, **headers):
        self.body = body
        self.status = status
        headers = {"cache_control": "public"} | headers
        self.headers = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
        self.n_requests = 0

    async def __call__(self, _scope, _receive, send):
        self.n_requests += 1
        start = {"type": "http.response.start", "status": self.status}
        await send(start | {"headers": [*self.headers, (b"x-asked", b"%d" % self.n_requests)]})
        half = len(self.body) // 2
        await send({"type": "http.response.body", "body": self.body[:half], "more_body": True})
        await send({"type": "http.response.body", "body": self.body[half:]})


def cached_client(app, most_bytes=1_000_000):
    return TestClient(ResponseCacheMiddleware(app, most_bytes))


@pytest.fixture
def rendered_paths(monkeypatch):
    """The paths of the steps that were computed, in order."""
    paths = []
    real = step.step_context

    def step_context(requested, *arguments, **options):
        paths.append(requested.links.path)
        return real(requested, *arguments, **options)

    monkeypatch.setattr(step, "step_context", step_context)
    return paths


@pytest.mark.parametrize("headers", [{}, HTMX, {"Accept-Encoding": "identity"}])
@pytest.mark.parametrize("path", [*CACHED_PATHS, "/docs", "/openapi.json"])
def test_a_cached_answer_equals_the_computed_one(path, headers):
    client, without = make_client(), make_client(cache_megabytes=0)
    miss, hit, computed = (each.get(path, headers=headers) for each in (client, client, without))
    assert miss.status_code == hit.status_code == computed.status_code == 200
    assert miss.content == hit.content == computed.content
    assert miss.headers.raw == hit.headers.raw == computed.headers.raw


def test_a_repeated_request_is_not_computed_again(rendered_paths):
    client = make_client()
    assert client.get(STEP).text == client.get(STEP).text
    assert len(rendered_paths) == 1


def test_without_memory_nothing_is_cached(rendered_paths):
    client = make_client(cache_megabytes=0)
    client.get(STEP), client.get(STEP)
    assert len(rendered_paths) == 2


@pytest.mark.parametrize(
    "difference",
    [
        {"headers": HTMX},
        {"headers": {"Accept-Encoding": "identity"}},
        {"headers": {"Host": "elsewhere.org"}},
        {"url": "https://testserver/a?b=c"},
        {"url": "/a?b=d"},
        {"url": "/a"},
        {"url": "/b?b=c"},
        {"root_path": "/sub"},
        {"headers": {"HX-Source": "input#text"}},
        {"headers": {"HX-Current-URL": "http://testserver/a"}},
    ],
)
def test_everything_an_answer_depends_on_is_in_the_key(difference):
    app = CountingApp()
    cache = ResponseCacheMiddleware(app, 1_000_000)
    for _ in range(2):
        TestClient(cache).get("/a?b=c", headers={"Accept-Encoding": "gzip"})
    assert app.n_requests == 1
    client = TestClient(cache, root_path=difference.get("root_path", ""))
    headers = {"Accept-Encoding": "gzip"} | difference.get("headers", {})
    client.get(difference.get("url", "/a?b=c"), headers=headers)
    assert app.n_requests == 2


@pytest.mark.parametrize(
    "query", ["text=a+cat", "model=headwise-h2", "layer=1", "head=1", "word=1", "show=lines"]
)
def test_views_that_differ_in_one_parameter_are_cached_separately(query):
    client, without = make_client(), make_client(cache_megabytes=0)
    page = client.get(f"{STEP}?{query}").text
    assert client.get(STEP).text == without.get(STEP).text
    assert client.get(f"{STEP}?{query}").text == page == without.get(f"{STEP}?{query}").text
    assert page != client.get(STEP).text


def test_fragments_encodings_and_hosts_are_cached_separately():
    client = make_client()
    page, fragment = client.get(STEP), client.get(STEP, headers=HTMX)
    uncompressed = client.get(STEP, headers={"Accept-Encoding": "identity"})
    other_host = client.get(STEP, headers={"Host": "elsewhere.org"})
    assert "<html" in page.text
    assert "<html" not in fragment.text
    assert "content-encoding" in page.headers
    assert "content-encoding" not in uncompressed.headers
    assert "http://elsewhere.org/static/" in other_host.text
    assert "elsewhere.org" not in client.get(STEP).text


def test_typing_and_choosing_get_different_htmx_headers():
    client = make_client()
    path = f"{STEP}?edit=1&text=a+b"
    for _ in range(2):
        assert "hx-push-url" in client.get(path, headers=HTMX).headers
        assert "hx-replace-url" in client.get(path, headers=TYPING).headers


def test_of_a_header_that_comes_twice_the_first_counts_as_it_does_for_pages():
    client = make_client()
    page, fragment = ("HX-Request-Type", "full"), ("HX-Request-Type", "partial")
    first = client.get(STEP, headers=[page, fragment])
    assert "<html" in first.text
    assert "<html" not in client.get(STEP, headers=[fragment, page]).text
    assert "<html" in client.get(STEP, headers=[page, fragment]).text


def test_not_modified_is_answered_from_the_cache(rendered_paths):
    client = make_client()
    etag = client.get(STEP).headers["etag"]
    again = client.get(STEP, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert client.get(STEP, headers={"If-None-Match": '"other"'}).status_code == 200
    assert len(rendered_paths) == 1


def test_a_conditional_request_fills_the_cache(rendered_paths):
    etag = make_client().get(STEP).headers["etag"]
    client = make_client()
    for _ in range(2):
        assert client.get(STEP, headers={"If-None-Match": etag}).status_code == 304
    assert len(rendered_paths) == 2


def test_head_is_answered_from_the_cache_too(rendered_paths):
    client = make_client()
    get, head = client.get(STEP), client.head(STEP)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers.raw == get.headers.raw
    assert len(rendered_paths) == 1


def test_the_cache_is_bounded_and_evicts_the_least_recently_used():
    app = CountingApp(body=b"x" * 9_000)
    cache = ResponseCacheMiddleware(app, 100_000)
    client = TestClient(cache)
    for number in range(30):
        client.get(f"/{number}")
        client.get("/0")
        assert cache.entries.currsize <= 100_000
    assert app.n_requests == 30
    assert 1 < len(cache.entries) < 10
    client.get("/1")
    assert app.n_requests == 31


def test_the_size_of_answer_and_url_is_counted():
    cache = ResponseCacheMiddleware(CountingApp(body=b"x" * 500), 1_000_000)
    client = TestClient(cache)
    client.get("/?")
    without_text = cache.entries.currsize
    assert 500 + ENTRY_OVERHEAD_BYTES < without_text < 600 + ENTRY_OVERHEAD_BYTES
    client.get(f"/?text={'a' * 2_000}")
    assert cache.entries.currsize == 2 * without_text + len("text=") + 2_000


def test_one_large_answer_does_not_evict_all_others():
    app = CountingApp(body=b"x" * 60_000)
    client = cached_client(app, 100_000)
    client.get("/"), client.get("/")
    assert app.n_requests == 2


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404},
        {"status": 422},
        {"status": 500},
        {"status": 206},
        {"status": 303},
        {"set_cookie": "a=b"},
        {"cache_control": "private, no-cache"},
        {"cache_control": "no-store"},
        {"vary": "Cookie"},
    ],
    ids=str,
)
def test_only_successful_public_answers_are_cached(answer):
    app = CountingApp(**answer)
    client = cached_client(app)
    client.get("/", follow_redirects=False), client.get("/", follow_redirects=False)
    assert app.n_requests == 2


@pytest.mark.parametrize("header", ["Origin", "Range", "Authorization"])
def test_requests_with_other_answers_bypass_the_cache(header):
    app = CountingApp()
    client = cached_client(app)
    for _ in range(2):
        client.get("/", headers={header: "value"})
        client.post("/")
    assert app.n_requests == 4


@pytest.mark.parametrize("path", ["/api/v1/models", f"{STEP}/qr.svg", f"{STEP}/export/map.csv"])
def test_a_limit_counts_every_request(path):
    client = make_client(api_per_minute=2)
    assert [client.get(path).status_code for _ in range(3)] == [200, 200, 429]


def test_an_incomplete_answer_is_not_cached():
    class Broken(CountingApp):
        async def __call__(self, scope, receive, send):
            async def first_half(message):
                await send(message)
                if message.get("more_body"):
                    raise ValueError

            await super().__call__(scope, receive, first_half)

    app = Broken()
    client = TestClient(ResponseCacheMiddleware(app, 1_000_000), raise_server_exceptions=False)
    client.get("/"), client.get("/")
    assert app.n_requests == 2


def test_a_server_error_is_not_cached(monkeypatch):
    client = make_client()
    with monkeypatch.context() as broken:
        broken.setattr(step, "requested_view", None)
        assert client.get(STEP).status_code == 500
    assert client.get(STEP).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"{LESSON}/end?results=1rr&name=Ann+Lee",
        f"{LESSON}/end?name=Ann+Lee",
        "/assign/codes?lines=Ann+Lee",
        "/healthz",
    ],
)
def test_names_of_learners_and_health_checks_are_never_cached(path):
    client = make_client(secret="secret")
    answer = client.get(path)
    assert "public" not in answer.headers["cache-control"]
    assert not find_middleware(client.app, ResponseCacheMiddleware).entries
    client.get(STEP)
    assert find_middleware(client.app, ResponseCacheMiddleware).entries


def test_outer_middleware_cannot_change_cached_answers():
    cache = ResponseCacheMiddleware(CountingApp(), 1_000_000)

    async def headers():
        sent = []

        async def send(message):
            if "headers" in message:
                sent.append([*message["headers"]])
                message["headers"].append((b"x-more", b"1"))

        for _ in range(3):
            await cache(http_scope(), None, send)
        return sent

    first, *others = run_coroutine(headers())
    assert others == [first, first]


def test_a_pathsend_answer_is_not_cached():
    async def app(_scope, _receive, send):
        headers = [(b"cache-control", b"public")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.pathsend", "path": "/a"})

    async def send(_):
        pass

    cache = ResponseCacheMiddleware(app, 1_000_000)
    run_coroutine(cache(http_scope(), None, send))
    assert not cache.entries
