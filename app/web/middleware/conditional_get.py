"""HEAD, validators, and requests that ask only for what has changed: pure ASGI.

Everything here follows from its address alone, so equal bytes are the same answer: caches may keep
it and ask whether it still holds. docs/decisions/caches.md tells who may keep what, and why.
"""

from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOT_MODIFIED = 304
BODY_MESSAGE, PATHSEND_MESSAGE = "http.response.body", "http.response.pathsend"

PUBLIC = "public, max-age=0, s-maxage=300"
"""Cache-Control of what follows from its address: browsers ask each time whether it still holds,
caches that a class shares need not for five minutes.
"""

PRIVATE = "private, no-cache"
"""Cache-Control of what names somebody: no cache but the browser's own keeps it."""

NO_STORE = "no-store"
"""Cache-Control of what is true only now."""

OMITTED_FROM_304 = (b"content-length", b"content-type", b"content-encoding")


class HeadMiddleware:
    """Answers HEAD as GET without the body; outside of what makes headers, so that all are the
    same.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            await send(_without_body(message))

        await self.app({**scope, "method": "GET"}, receive, send_without_body)


class ConditionalGetMiddleware:
    """Answers If-None-Match with 304 where the answer's ETag is among those named."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if_none_match = ""
        if scope["type"] == "http" and scope["method"] == "GET":
            if_none_match = Headers(scope=scope).get("if-none-match", "")
        if not if_none_match:
            await self.app(scope, receive, send)
            return
        matches = False

        async def send_unless_matched(message: Message) -> None:
            nonlocal matches
            if message["type"] == "http.response.start":
                matches = message["status"] == 200 and _etag_matches(if_none_match, message)
                message = _not_modified(message) if matches else message
            elif matches:
                message = _without_body(message)
            await send(message)

        await self.app(scope, receive, send_unless_matched)


class ETagMiddleware:
    """Gives every answer a Cache-Control, and those of status 200 an ETag: the digest of what is
    sent, before it is compressed, and of what htmx is told beside it. Answers that bring their own
    keep them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _BufferedSend(send))


class _BufferedSend:
    """Holds an answer back until it is whole, and sends it tagged. What else a server may be told,
    such as to send a file by itself, goes through, behind what was held back.
    """

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start_message: Message | None = None
        self.chunks: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start_message = message
        elif self.start_message and message["type"] == BODY_MESSAGE:
            self.chunks.append(message.get("body", b""))
            if not message.get("more_body"):
                _add_cache_headers(self.start_message, b"".join(self.chunks))
                await self._flush(more=False)
        else:
            await self._flush(more=True)
            await self.send(message)

    async def _flush(self, *, more: bool) -> None:
        start, self.start_message = self.start_message, None
        if start:
            await self.send(start)
        if start and (self.chunks or not more):
            await self.send(
                {"type": BODY_MESSAGE, "body": b"".join(self.chunks), "more_body": more}
            )


def _without_body(message: Message) -> Message:
    """A message of the body, or of a file in its place, without either."""
    if message["type"] == BODY_MESSAGE:
        return {**message, "body": b""}
    return {"type": BODY_MESSAGE, "body": b""} if message["type"] == PATHSEND_MESSAGE else message


def _add_cache_headers(start: Message, body: bytes) -> None:
    headers = MutableHeaders(scope=start)
    if start["status"] == 200 and "etag" not in headers:
        digest = sha256(_htmx_header_bytes(start) + body).hexdigest()
        headers["ETag"] = f'W/"{digest[:32]}"'
    if "cache-control" not in headers:
        # Redirects follow from their address as pages do; what went wrong may be right next time.
        headers["Cache-Control"] = PUBLIC if start["status"] < 400 else "no-cache"


def _htmx_header_bytes(start: Message) -> bytes:
    htmx_headers = sorted(each for each in start["headers"] if each[0].lower().startswith(b"hx-"))
    return b"".join(b"%b: %b\n" % each for each in htmx_headers)


def _not_modified(start: Message) -> Message:
    headers = [each for each in start["headers"] if each[0].lower() not in OMITTED_FROM_304]
    return {**start, "status": NOT_MODIFIED, "headers": headers}


def _etag_matches(if_none_match: str, start: Message) -> bool:
    """Whether an If-None-Match names this answer. Source: RFC 9110, section 13.1.2."""
    etag = Headers(raw=start["headers"]).get("etag", "")
    etags = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return bool(etag) and ("*" in etags or etag.removeprefix("W/") in etags)
