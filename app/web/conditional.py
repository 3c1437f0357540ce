"""HEAD, and requests that ask only for what has changed: pure ASGI, around the application."""

from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOT_MODIFIED = 304


class Head:
    """Answers HEAD as GET without the body; the outermost, so that every header is the same."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, without_body)


class Conditional:
    """Answers If-None-Match by the digest of what would be sent, before it is compressed.

    Everything here follows from its address alone, so equal bytes are the same answer; caches may
    keep them and ask whether they still hold. Answers that bring an ETag of their own keep it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("if-none-match", "")
        start: Message | None = None
        body: list[bytes] = []

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.append(message.get("body", b""))
            if start and not message.get("more_body"):
                await _send_whole(start, b"".join(body), asked, send)

        await self.app(scope, receive, collect)


async def _send_whole(start: Message, body: bytes, asked: str, send: Send) -> None:
    headers = MutableHeaders(scope=start)
    if start["status"] == 200:
        if "etag" not in headers:
            headers["ETag"] = f'W/"{sha256(body).hexdigest()[:32]}"'
        if "cache-control" not in headers:
            headers["Cache-Control"] = "no-cache"
        if _names(asked, headers["etag"]):
            start = {**start, "status": NOT_MODIFIED}
            headers = MutableHeaders(scope=start)
            for name in ("content-length", "content-type"):
                del headers[name]
            body = b""
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _names(asked: str, etag: str) -> bool:
    """Whether an If-None-Match names this answer. Source: RFC 9110, section 13.1.2."""
    known = [each.strip().removeprefix("W/") for each in asked.split(",")]
    return "*" in known or etag.removeprefix("W/") in known
