"""HEAD, validators, and requests that ask only for what has changed: pure ASGI.

Everything here follows from its address alone, so equal bytes are the same answer: caches may keep
it and ask whether it still holds. docs/decisions/caches.md tells who may keep what, and why.
"""

from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOT_MODIFIED = 304
BODY, FILE = "http.response.body", "http.response.pathsend"

SHARED = "public, max-age=0, s-maxage=300"
"""Cache-Control of what follows from its address: browsers ask each time whether it still holds,
caches that a class shares need not for five minutes.
"""

PERSONAL = "private, no-cache"
"""Cache-Control of what names somebody: no cache but the browser's own keeps it."""

FLEETING = "no-store"
"""Cache-Control of what is true only now."""

NOT_SENT_AGAIN = (b"content-length", b"content-type", b"content-encoding")


class Head:
    """Answers HEAD as GET without the body; outside of what makes headers, so that all are the
    same.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send(_emptied(message))

        await self.app({**scope, "method": "GET"}, receive, without_body)


class Conditional:
    """Answers If-None-Match with 304 where the answer's ETag is among those named."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = ""
        if scope["type"] == "http" and scope["method"] == "GET":
            asked = Headers(scope=scope).get("if-none-match", "")
        if not asked:
            await self.app(scope, receive, send)
            return
        known = False

        async def unless_known(message: Message) -> None:
            nonlocal known
            if message["type"] == "http.response.start":
                known = message["status"] == 200 and _names(asked, message)
                message = _not_modified(message) if known else message
            elif known:
                message = _emptied(message)
            await send(message)

        await self.app(scope, receive, unless_known)


class Tagged:
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
        await self.app(scope, receive, _Whole(send))


class _Whole:
    """Holds an answer back until it is whole, and sends it tagged. What else a server may be told,
    such as to send a file by itself, goes through, behind what was held back.
    """

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: Message | None = None
        self.body: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        elif self.start and message["type"] == BODY:
            self.body.append(message.get("body", b""))
            if not message.get("more_body"):
                _tag(self.start, b"".join(self.body))
                await self._release(more=False)
        else:
            await self._release(more=True)
            await self.send(message)

    async def _release(self, *, more: bool) -> None:
        start, self.start = self.start, None
        if start:
            await self.send(start)
        if start and (self.body or not more):
            await self.send({"type": BODY, "body": b"".join(self.body), "more_body": more})


def _emptied(message: Message) -> Message:
    """A message of the body, or of a file in its place, without either."""
    if message["type"] == BODY:
        return {**message, "body": b""}
    return {"type": BODY, "body": b""} if message["type"] == FILE else message


def _tag(start: Message, body: bytes) -> None:
    headers = MutableHeaders(scope=start)
    if start["status"] == 200 and "etag" not in headers:
        digest = sha256(_told_to_htmx(start) + body).hexdigest()
        headers["ETag"] = f'W/"{digest[:32]}"'
    if "cache-control" not in headers:
        # Redirects follow from their address as pages do; what went wrong may be right next time.
        headers["Cache-Control"] = SHARED if start["status"] < 400 else "no-cache"


def _told_to_htmx(start: Message) -> bytes:
    told = sorted(each for each in start["headers"] if each[0].lower().startswith(b"hx-"))
    return b"".join(b"%b: %b\n" % each for each in told)


def _not_modified(start: Message) -> Message:
    headers = [each for each in start["headers"] if each[0].lower() not in NOT_SENT_AGAIN]
    return {**start, "status": NOT_MODIFIED, "headers": headers}


def _names(asked: str, start: Message) -> bool:
    """Whether an If-None-Match names this answer. Source: RFC 9110, section 13.1.2."""
    etag = Headers(raw=start["headers"]).get("etag", "")
    known = [each.strip().removeprefix("W/") for each in asked.split(",")]
    return bool(etag) and ("*" in known or etag.removeprefix("W/") in known)
