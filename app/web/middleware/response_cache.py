"""Answers that are asked for again, kept whole as they were sent: pure ASGI.

What an address shows follows from the address alone, so an answer can be kept for as long as the
process runs; the memory that answers take is bounded, and those unused for longest go first.
"""

from dataclasses import dataclass

from cachetools import LRUCache
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.htmx import READ

ASKED_BY = (b"host", *(name.lower().encode() for name in READ))
"""The headers of a request that an answer may depend on, beside whether it accepts gzip."""

VARY = {"accept-encoding", "origin", *(name.lower() for name in READ)}
"""What an answer may say that it varies with and still be found by its key."""

PASSED_OVER = (b"origin", b"range", b"authorization")
"""With one of these headers an answer may be another: such requests are always computed."""

COUNTED = "counted"
"""In a request's state: it counted towards a limit, and will have to each time."""

OVERHEAD = 1_000
"""Bytes that Python needs for an answer beyond its own, about."""

LARGEST = 8
"""No answer takes more than this part of the memory."""

Key = tuple[object, ...]


@dataclass(frozen=True)
class Answer:
    """An answer of status 200 as it was sent, and the bytes that it takes with its key."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    size: int

    async def __call__(self, send: Send) -> None:
        # Whoever is further out may change the list.
        await send({"type": "http.response.start", "status": 200, "headers": list(self.headers)})
        await send({"type": "http.response.body", "body": self.body})


class Kept:
    """Keeps what says that anybody may keep it, up to so many bytes; nothing at 0."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self.app = app
        self.answers: LRUCache[Key, Answer] = LRUCache(most_bytes, lambda answer: answer.size)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = self._key(scope)
        if key is None:
            await self.app(scope, receive, send)
        elif answer := self.answers.get(key):
            await answer(send)
        else:
            # Made here, so that whoever copies the scope further in shares it.
            scope.setdefault("state", {})
            await self.app(scope, receive, _Copy(self, key, scope, send))

    def _key(self, scope: Scope) -> Key | None:
        """Everything that an answer depends on; None if it is not to be kept."""
        if not self.answers.maxsize or scope["type"] != "http" or scope["method"] != "GET":
            return None
        # Of a header that comes twice the first counts, here as in the application.
        headers = dict(reversed(scope["headers"]))
        if any(name in headers for name in PASSED_OVER):
            return None
        return (
            scope["path"],
            scope["query_string"],
            scope["scheme"],
            scope.get("root_path"),
            b"gzip" in headers.get(b"accept-encoding", b""),
            *(headers.get(name) for name in ASKED_BY),
        )

    def keep(self, key: Key, start: Message, body: bytes) -> None:
        headers = tuple(start["headers"])
        held = sum(len(part) for part in key if isinstance(part, (bytes, str)))
        held += sum(len(name) + len(value) for name, value in headers)
        size = held + len(body) + OVERHEAD
        if size * LARGEST <= self.answers.maxsize:
            self.answers[key] = Answer(headers, body, size)


class _Copy:
    """Sends an answer on, and keeps it once it is complete."""

    def __init__(self, kept: Kept, key: Key, scope: Scope, send: Send) -> None:
        self.kept = kept
        self.key = key
        self.scope = scope
        self.send = send
        self.start: Message | None = None
        self.parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            # A copy, since whoever is further out may change the message.
            may = _may_be_kept(message) and COUNTED not in self.scope["state"]
            self.start = {**message, "headers": list(message["headers"])} if may else None
        elif message["type"] != "http.response.body":
            # Such as a file that the server sends by itself: its bytes are not seen here.
            self.start = None
        elif self.start:
            self.parts.append(message.get("body", b""))
            if not message.get("more_body"):
                self.kept.keep(self.key, self.start, b"".join(self.parts))
        await self.send(message)


def _may_be_kept(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    varies = {name.strip().lower() for name in headers.get("vary", "").split(",") if name.strip()}
    return (
        start["status"] == 200
        and "public" in headers.get("cache-control", "")
        and "set-cookie" not in headers
        and varies <= VARY
    )
