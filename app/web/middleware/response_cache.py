"""A cache of complete responses, in memory.

A response depends on its request alone, so an entry stays valid while the process runs. The cache
is bounded in bytes and evicts the least recently used entries. See docs/decisions/caches.md.
"""

from dataclasses import dataclass
from http import HTTPStatus

from cachetools import LRUCache
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.htmx import REQUEST_HEADERS

KEY_HEADERS = (b"host", *(name.lower().encode() for name in REQUEST_HEADERS))
"""Request headers in the key, besides whether gzip is accepted."""

ALLOWED_VARY = {"accept-encoding", "origin", *(name.lower() for name in REQUEST_HEADERS)}
"""Names in a Vary header that the key covers; requests with `Origin` bypass the cache."""

BYPASS_HEADERS = (b"origin", b"range", b"authorization")
"""A request with one of these headers is always computed: its response may differ."""

RATE_LIMITED = "rate_limited"
"""Attribute of a request's state: it counted towards a limit, so its response is not stored."""

ENTRY_OVERHEAD_BYTES = 1_000
"""Bytes of Python objects in an entry beyond its body, headers and key, approximately."""

MIN_ENTRIES = 8
"""No entry takes more than this fraction of the cache: 1 / `MIN_ENTRIES`."""

ResponseKey = tuple[object, ...]


@dataclass(frozen=True)
class CachedResponse:
    """A response with status 200 as it was sent; `size` in bytes includes its key."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    size: int

    async def __call__(self, send: Send) -> None:
        # A new list each time, since outer middleware may change it.
        start = {"type": "http.response.start", "status": 200, "headers": list(self.headers)}
        await send(start)
        await send({"type": "http.response.body", "body": self.body})


class ResponseCacheMiddleware:
    """Store public responses with status 200 in at most `max_bytes`; 0 disables the cache."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.entries: LRUCache[ResponseKey, CachedResponse] = LRUCache(
            max_bytes, lambda entry: entry.size
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = self._cache_key(scope)
        if key is None:
            await self.app(scope, receive, send)
        elif cached := self.entries.get(key):
            await cached(send)
        else:
            # Created here, so that copies of the scope further in share it.
            scope.setdefault("state", {})
            await self.app(scope, receive, _Recorder(self, key, scope, send))

    def _cache_key(self, scope: Scope) -> ResponseKey | None:
        """Return everything that the response depends on, or None to bypass the cache."""
        if not self.entries.maxsize or scope["type"] != "http" or scope["method"] != "GET":
            return None
        # Of a repeated header the first counts, here as in the application.
        headers = dict(reversed(scope["headers"]))
        if any(name in headers for name in BYPASS_HEADERS):
            return None
        return (
            scope["path"],
            scope["query_string"],
            scope["scheme"],
            scope.get("root_path"),
            b"gzip" in headers.get(b"accept-encoding", b""),
            *(headers.get(name) for name in KEY_HEADERS),
        )

    def store(self, key: ResponseKey, start: Message, body: bytes) -> None:
        """Store a complete response, unless it is too large."""
        headers = tuple(start["headers"])
        overhead = sum(len(part) for part in key if isinstance(part, (bytes, str)))
        overhead += sum(len(name) + len(value) for name, value in headers)
        size = overhead + len(body) + ENTRY_OVERHEAD_BYTES
        if size * MIN_ENTRIES <= self.entries.maxsize:
            self.entries[key] = CachedResponse(headers, body, size)


class _Recorder:
    """Pass a response on, and store it once it is complete."""

    def __init__(
        self, cache: ResponseCacheMiddleware, key: ResponseKey, scope: Scope, send: Send
    ) -> None:
        self.cache = cache
        self.key = key
        self.scope = scope
        self.send = send
        self.start: Message | None = None
        self.chunks: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            cacheable = _is_cacheable(message) and RATE_LIMITED not in self.scope["state"]
            # A copy, since outer middleware may change the message.
            self.start = {**message, "headers": list(message["headers"])} if cacheable else None
        elif message["type"] != "http.response.body":
            # Such as a file that the server sends itself: its bytes are not seen here.
            self.start = None
        elif self.start:
            self.chunks.append(message.get("body", b""))
            if not message.get("more_body"):
                self.cache.store(self.key, self.start, b"".join(self.chunks))
        await self.send(message)


def _is_cacheable(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    vary = {name.strip().lower() for name in headers.get("vary", "").split(",") if name.strip()}
    return (
        start["status"] == HTTPStatus.OK
        and "public" in headers.get("cache-control", "")
        and "set-cookie" not in headers
        and vary <= ALLOWED_VARY
    )
