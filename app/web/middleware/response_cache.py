"""Answers that are asked for again, kept whole as they were sent: pure ASGI.

What an address shows follows from the address alone, so an answer can be kept for as long as the
process runs; the memory that answers take is bounded, and those unused for longest go first.
"""

from dataclasses import dataclass

from cachetools import LRUCache
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.htmx import REQUEST_HEADERS

KEY_HEADERS = (b"host", *(name.lower().encode() for name in REQUEST_HEADERS))
"""The headers of a request that an answer may depend on, beside whether it accepts gzip."""

ALLOWED_VARY = {"accept-encoding", "origin", *(name.lower() for name in REQUEST_HEADERS)}
"""What an answer may say that it varies with and still be found by its key."""

BYPASS_HEADERS = (b"origin", b"range", b"authorization")
"""With one of these headers an answer may be another: such requests are always computed."""

RATE_LIMITED = "counted"
"""In a request's state: it counted towards a limit, and will have to each time."""

ENTRY_OVERHEAD_BYTES = 1_000
"""Bytes that Python needs for an answer beyond its own, about."""

MIN_ENTRIES = 8
"""No answer takes more than this part of the memory."""

CacheKey = tuple[object, ...]


@dataclass(frozen=True)
class CachedResponse:
    """An answer of status 200 as it was sent, and the bytes that it takes with its key."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    size: int

    async def __call__(self, send: Send) -> None:
        # Whoever is further out may change the list.
        await send({"type": "http.response.start", "status": 200, "headers": list(self.headers)})
        await send({"type": "http.response.body", "body": self.body})


class ResponseCacheMiddleware:
    """Keeps what says that anybody may keep it, up to so many bytes; nothing at 0."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.entries: LRUCache[CacheKey, CachedResponse] = LRUCache(
            max_bytes, lambda entry: entry.size
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = self._cache_key(scope)
        if key is None:
            await self.app(scope, receive, send)
        elif cached := self.entries.get(key):
            await cached(send)
        else:
            # Made here, so that whoever copies the scope further in shares it.
            scope.setdefault("state", {})
            await self.app(scope, receive, _Recorder(self, key, scope, send))

    def _cache_key(self, scope: Scope) -> CacheKey | None:
        """Everything that an answer depends on; None if it is not to be kept."""
        if not self.entries.maxsize or scope["type"] != "http" or scope["method"] != "GET":
            return None
        # Of a header that comes twice the first counts, here as in the application.
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

    def store(self, key: CacheKey, start_message: Message, body: bytes) -> None:
        headers = tuple(start_message["headers"])
        overhead = sum(len(part) for part in key if isinstance(part, (bytes, str)))
        overhead += sum(len(name) + len(value) for name, value in headers)
        size = overhead + len(body) + ENTRY_OVERHEAD_BYTES
        if size * MIN_ENTRIES <= self.entries.maxsize:
            self.entries[key] = CachedResponse(headers, body, size)


class _Recorder:
    """Sends an answer on, and keeps it once it is complete."""

    def __init__(
        self, cache: ResponseCacheMiddleware, key: CacheKey, scope: Scope, send: Send
    ) -> None:
        self.cache = cache
        self.key = key
        self.scope = scope
        self.send = send
        self.start_message: Message | None = None
        self.chunks: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            # A copy, since whoever is further out may change the message.
            cacheable = _is_cacheable(message) and RATE_LIMITED not in self.scope["state"]
            self.start_message = (
                {**message, "headers": list(message["headers"])} if cacheable else None
            )
        elif message["type"] != "http.response.body":
            # Such as a file that the server sends by itself: its bytes are not seen here.
            self.start_message = None
        elif self.start_message:
            self.chunks.append(message.get("body", b""))
            if not message.get("more_body"):
                self.cache.store(self.key, self.start_message, b"".join(self.chunks))
        await self.send(message)


def _is_cacheable(start_message: Message) -> bool:
    headers = Headers(raw=start_message["headers"])
    varies = {name.strip().lower() for name in headers.get("vary", "").split(",") if name.strip()}
    return (
        start_message["status"] == 200
        and "public" in headers.get("cache-control", "")
        and "set-cookie" not in headers
        and varies <= ALLOWED_VARY
    )
