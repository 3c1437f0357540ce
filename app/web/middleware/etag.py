"""ETag and Cache-Control of every response."""

from hashlib import sha256
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.cache_control import NO_CACHE, PUBLIC


class ETagMiddleware:
    """Add Cache-Control to every response to GET, and an ETag to those with status 200.

    The ETag is a digest of the uncompressed body and of the `HX-` headers. Values that a response
    sets itself stay.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _BufferedSend(send))


class _BufferedSend:
    """Hold a response back until its body is complete, then send it with its headers.

    Any other message, such as a file that the server sends itself, is passed on in order.
    """

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: Message | None = None
        self.chunks: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        elif self.start and message["type"] == "http.response.body":
            self.chunks.append(message.get("body", b""))
            if not message.get("more_body"):
                _add_cache_headers(self.start, b"".join(self.chunks))
                await self._flush(more=False)
        else:
            await self._flush(more=True)
            await self.send(message)

    async def _flush(self, *, more: bool) -> None:
        start, self.start = self.start, None
        if start:
            await self.send(start)
        if start and (self.chunks or not more):
            body = b"".join(self.chunks)
            await self.send({"type": "http.response.body", "body": body, "more_body": more})


def _add_cache_headers(start: Message, body: bytes) -> None:
    headers = MutableHeaders(scope=start)
    if start["status"] == HTTPStatus.OK and "etag" not in headers:
        digest = sha256(_htmx_header_bytes(start) + body).hexdigest()
        headers["ETag"] = f'W/"{digest[:32]}"'
    if "cache-control" not in headers:
        # A redirect depends on its URL alone, as a page does.
        is_error = start["status"] >= HTTPStatus.BAD_REQUEST
        headers["Cache-Control"] = NO_CACHE if is_error else PUBLIC


def _htmx_header_bytes(start: Message) -> bytes:
    htmx_headers = sorted(each for each in start["headers"] if each[0].lower().startswith(b"hx-"))
    return b"".join(b"%b: %b\n" % each for each in htmx_headers)
