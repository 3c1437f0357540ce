import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from app.web.middleware.response_cache import ENTRY_OVERHEAD_BYTES, ResponseCacheMiddleware
from app.web.routes import step
from tests.coroutines import finished
from tests.pages import LESSON

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
TYPING = HTMX | {"HX-Source": "input#text"}
STEP = f"{LESSON}/why-one-head-is-not-enough"
SHARED = ["/", STEP, f"{STEP}?text=Birds+sing", f"{STEP}/numbers", f"{STEP}/handout", "/models"]


class Counting:
    """An application that tells how often it was asked, and answers as it is told to."""

    def __init__(self, body=b"answer", status=200, **headers):
        self.body = body
        self.status = status
        headers = {"cache_control": "public"} | headers
        self.headers = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
        self.asked = 0

    async def __call__(self, _scope, _receive, send):
        self.asked += 1
        start = {"type": "http.response.start", "status": self.status}
        await send(start | {"headers": [*self.headers, (b"x-asked", b"%d" % self.asked)]})
        half = len(self.body) // 2
        await send({"type": "http.response.body", "body": self.body[:half], "more_body": True})
        await send({"type": "http.response.body", "body": self.body[half:]})


def served(app, most_bytes=1_000_000):
    return TestClient(ResponseCacheMiddleware(app, most_bytes))


def fresh(**settings):
    app = create_app(Settings(**settings))
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture
def rendered(monkeypatch):
    """The paths of the steps that were computed, in order."""
    paths = []
    real = step.StepRequest.response

    def response(page):
        paths.append(page.path)
        return real(page)

    monkeypatch.setattr(step.StepRequest, "response", response)
    return paths


@pytest.mark.parametrize("headers", [{}, HTMX, {"Accept-Encoding": "identity"}])
@pytest.mark.parametrize("path", [*SHARED, "/docs", "/openapi.json"])
def test_a_kept_answer_is_the_computed_one_byte_for_byte_and_header_for_header(path, headers):
    client, without = fresh(), fresh(cache_megabytes=0)
    miss, hit, computed = (each.get(path, headers=headers) for each in (client, client, without))
    assert miss.status_code == hit.status_code == computed.status_code == 200
    assert miss.content == hit.content == computed.content
    assert miss.headers.raw == hit.headers.raw == computed.headers.raw


def test_what_is_asked_for_again_is_not_computed_again(rendered):
    client = fresh()
    assert client.get(STEP).text == client.get(STEP).text
    assert len(rendered) == 1


def test_with_no_memory_nothing_is_kept(rendered):
    client = fresh(cache_megabytes=0)
    client.get(STEP), client.get(STEP)
    assert len(rendered) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"headers": HTMX},
        {"headers": {"Accept-Encoding": "identity"}},
        {"headers": {"Host": "elsewhere.org"}},
        {"url": "https://testserver/a?b=c"},
        {"url": "/a?b=d"},
        {"url": "/b?b=c"},
        {"headers": {"HX-Source": "input#text"}},
        {"headers": {"HX-Current-URL": "http://testserver/a"}},
    ],
)
def test_whatever_an_answer_depends_on_keeps_it_apart(other):
    app = Counting()
    client = served(app)
    client.get("/a?b=c", headers={"Accept-Encoding": "gzip"})
    headers = {"Accept-Encoding": "gzip"} | other.get("headers", {})
    client.get(other.get("url", "/a?b=c"), headers=headers)
    assert app.asked == 2


def test_a_page_and_its_fragment_a_packed_and_a_plain_one_and_two_hosts_stay_apart():
    client = fresh()
    page, fragment = client.get(STEP), client.get(STEP, headers=HTMX)
    plain = client.get(STEP, headers={"Accept-Encoding": "identity"})
    there = client.get(STEP, headers={"Host": "elsewhere.org"})
    assert "<html" in page.text
    assert "<html" not in fragment.text
    assert "content-encoding" in page.headers
    assert "content-encoding" not in plain.headers
    assert "http://elsewhere.org/static/" in there.text
    assert "elsewhere.org" not in client.get(STEP).text


def test_typing_and_choosing_are_told_different_addresses():
    client = fresh()
    path = f"{STEP}?edit=1&text=a+b"
    for _ in range(2):
        assert "hx-push-url" in client.get(path, headers=HTMX).headers
        assert "hx-replace-url" in client.get(path, headers=TYPING).headers


def test_of_a_header_that_comes_twice_the_first_counts_as_it_does_for_pages():
    client = fresh()
    page, fragment = ("HX-Request-Type", "full"), ("HX-Request-Type", "partial")
    first = client.get(STEP, headers=[page, fragment])
    assert "<html" in first.text
    assert "<html" not in client.get(STEP, headers=[fragment, page]).text
    assert "<html" in client.get(STEP, headers=[page, fragment]).text


def test_what_is_known_already_is_answered_from_memory(rendered):
    client = fresh()
    etag = client.get(STEP).headers["etag"]
    again = client.get(STEP, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert client.get(STEP, headers={"If-None-Match": '"other"'}).status_code == 200
    assert len(rendered) == 1


def test_asking_what_has_changed_is_enough_to_keep_an_answer(rendered):
    etag = fresh().get(STEP).headers["etag"]
    client = fresh()
    for _ in range(2):
        assert client.get(STEP, headers={"If-None-Match": etag}).status_code == 304
    assert len(rendered) == 2


def test_head_is_answered_from_memory_too(rendered):
    client = fresh()
    get, head = client.get(STEP), client.head(STEP)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers.raw == get.headers.raw
    assert len(rendered) == 1


def test_memory_is_bounded_and_what_was_unused_for_longest_goes_first():
    app = Counting(body=b"x" * 9_000)
    kept = ResponseCacheMiddleware(app, 100_000)
    client = TestClient(kept)
    for number in range(30):
        client.get(f"/{number}")
        client.get("/0")
        assert kept.entries.currsize <= 100_000
    assert app.asked == 30
    assert 1 < len(kept.entries) < 10
    client.get("/1")
    assert app.asked == 31


def test_what_an_answer_and_its_address_take_is_counted():
    kept = ResponseCacheMiddleware(Counting(body=b"x" * 500), 1_000_000)
    TestClient(kept).get(f"/?text={'a' * 2_000}")
    assert kept.entries.currsize > 500 + 2_000 + ENTRY_OVERHEAD_BYTES


def test_one_answer_does_not_drive_out_all_others():
    app = Counting(body=b"x" * 60_000)
    client = served(app, 100_000)
    client.get("/"), client.get("/")
    assert app.asked == 2


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
def test_only_what_is_right_and_says_so_is_kept(answer):
    app = Counting(**answer)
    client = served(app)
    client.get("/", follow_redirects=False), client.get("/", follow_redirects=False)
    assert app.asked == 2


@pytest.mark.parametrize("header", ["Origin", "Range", "Authorization"])
def test_requests_that_may_be_answered_otherwise_are_passed_over(header):
    app = Counting()
    client = served(app)
    for _ in range(2):
        client.get("/", headers={header: "value"})
        client.post("/")
    assert app.asked == 4


def test_another_site_is_told_that_it_may_read_and_others_are_not():
    client = fresh(cors_origins=("https://a.org",))
    for _ in range(2):
        assert "access-control-allow-origin" not in client.get(STEP).headers
        theirs = client.get(STEP, headers={"Origin": "https://a.org"})
        assert theirs.headers["access-control-allow-origin"] == "https://a.org"


@pytest.mark.parametrize("path", ["/api/v1/models", f"{STEP}/qr.svg", f"{STEP}/export/map.csv"])
def test_a_limit_counts_every_request(path):
    client = fresh(api_per_minute=2)
    assert [client.get(path).status_code for _ in range(3)] == [200, 200, 429]


def test_an_answer_that_breaks_off_is_not_kept():
    class Broken(Counting):
        async def __call__(self, scope, receive, send):
            async def first_half(message):
                await send(message)
                if message.get("more_body"):
                    raise ValueError

            await super().__call__(scope, receive, first_half)

    app = Broken()
    client = TestClient(ResponseCacheMiddleware(app, 1_000_000), raise_server_exceptions=False)
    client.get("/"), client.get("/")
    assert app.asked == 2


def test_a_fault_is_asked_about_anew(monkeypatch):
    client = fresh()
    with monkeypatch.context() as broken:
        broken.setattr(step, "parse_view", None)
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
def test_names_of_learners_and_what_is_true_only_now_are_kept_by_nobody(path):
    app = create_app(Settings(secret="secret"))
    answer = TestClient(app).get(path)
    assert "public" not in answer.headers["cache-control"]
    assert not app.app.app.app.entries


def test_whoever_is_further_out_cannot_change_what_is_kept():
    kept = ResponseCacheMiddleware(Counting(), 1_000_000)

    async def headers():
        sent = []

        async def send(message):
            if "headers" in message:
                sent.append([*message["headers"]])
                message["headers"].append((b"x-more", b"1"))

        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"",
                 "scheme": "http", "headers": []}  # fmt: skip
        for _ in range(3):
            await kept(dict(scope), None, send)
        return sent

    first, *others = finished(headers())
    assert others == [first, first]


def test_an_answer_that_the_server_sends_from_a_file_is_not_kept():
    async def app(_scope, _receive, send):
        headers = [(b"cache-control", b"public")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.pathsend", "path": "/a"})

    async def send(_):
        pass

    kept = ResponseCacheMiddleware(app, 1_000_000)
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"",
             "scheme": "http", "headers": []}  # fmt: skip
    finished(kept(scope, None, send))
    assert not kept.entries
