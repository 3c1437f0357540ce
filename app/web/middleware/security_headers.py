"""The outermost layer, pure ASGI: headers on every response, limits, no learner text in logs."""

import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

FRAMED = "headwise-may-be-framed"
"""The header by which a page tells that it is an embedded lab; it goes no further than here."""
_FRAMED = FRAMED.encode()

FAULT = "Something broke on our side. Try again."
"""Said where no page can say it."""

logger = logging.getLogger("headwise")

ErrorPage = Callable[[Request, int, str], Response]


RawHeaders = list[tuple[bytes, bytes]]


def _raw(headers: Mapping[str, str]) -> RawHeaders:
    """Headers as ASGI has them."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


RAW_HEADERS = _raw(HEADERS)


def _log(error: Exception, scope: Scope) -> None:
    """The kind of an error and its place; nothing that a learner typed, and no line of theirs."""
    place = "".join(traceback.format_tb(error.__traceback__))
    path = quote(scope["path"], errors="replace")
    logger.error("%s in %s %s\n%s", type(error).__name__, scope["method"], path, place)


def _framed(parents: Sequence[str]) -> dict[str, str]:
    """`HEADERS` of what may stand in the frames of some sites."""
    mine, theirs = "frame-ancestors 'none'", f"frame-ancestors {' '.join(parents)}"
    policy = CONTENT_SECURITY_POLICY.replace(mine, theirs)
    framed = HEADERS | {"Content-Security-Policy": policy}
    del framed["X-Frame-Options"]
    return framed


class BodyTooLargeError(HTTPException):
    """Raised where a body is read, and told there or here."""

    def __init__(self, most_bytes: int) -> None:
        message = f"Headwise takes at most {most_bytes:,} bytes in a request."
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)


class Guard:
    """Wraps the whole application, so that errors and refusals carry the headers too."""

    def __init__(self, app: ASGIApp, settings: Settings, error_page: ErrorPage) -> None:
        self.app = app
        self.settings = settings
        self.error_page = error_page
        self.framed = _raw(_framed(settings.embed_origins)) if settings.embed_origins else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": self._guarded(message["headers"])}
            await send(message)

        try:
            if refusal := self._refusal(scope):
                await refusal(scope, receive, send_guarded)
            else:
                await self.app(scope, self._limited(receive), send_guarded)
        except BodyTooLargeError as error:
            page = self._page(scope, error.status_code, error.detail)
            await page(scope, receive, send_guarded)
        except Exception as error:
            _log(error, scope)
            if not started:
                page = self._page(scope, HTTPStatus.INTERNAL_SERVER_ERROR)
                await page(scope, receive, send_guarded)

    def _page(self, scope: Scope, status: int, message: str = "") -> Response:
        """Plain text where making the page is what fails."""
        try:
            return self.error_page(Request(scope), status, message)
        except Exception as error:
            _log(error, scope)
            return PlainTextResponse(FAULT, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _guarded(self, headers: RawHeaders) -> RawHeaders:
        """An answer's headers, and of ours those that it does not bring itself.

        What says that it is an embedded lab may stand in the frames of some sites.
        """
        brought = {name.lower() for name, _ in headers}
        if _FRAMED in brought:
            headers = [each for each in headers if each[0].lower() != _FRAMED]
        ours = self.framed if self.framed and _FRAMED in brought else RAW_HEADERS
        return [*headers, *(each for each in ours if each[0] not in brought)]

    def _refusal(self, scope: Scope) -> Response | None:
        if len(scope["query_string"]) > self.settings.max_query_bytes:
            message = (
                f"This address is longer than {self.settings.max_query_bytes:,} bytes. "
                "Go back and shorten the sentence; it is still in its field."
            )
            return self._page(scope, HTTPStatus.REQUEST_URI_TOO_LONG, message)
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > self.settings.max_body_bytes:
            error = BodyTooLargeError(self.settings.max_body_bytes)
            return self._page(scope, error.status_code, error.detail)
        return None

    def _limited(self, receive: Receive) -> Callable[[], Awaitable[Message]]:
        taken = 0

        async def receive_limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.settings.max_body_bytes:
                raise BodyTooLargeError(self.settings.max_body_bytes)
            return message

        return receive_limited


class WithoutQuery(logging.Filter):
    """Takes the query, which holds what learners type, out of uvicorn's access log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, path, *rest = record.args
            record.args = (client, method, str(path).partition("?")[0], *rest)
        return True


def keep_text_out_of_logs() -> None:
    access = logging.getLogger("uvicorn.access")
    if not any(isinstance(each, WithoutQuery) for each in access.filters):
        access.addFilter(WithoutQuery())
