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
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

EMBEDDABLE_HEADER = "headwise-may-be-framed"
"""The header by which a page tells that it is an embedded lab; it goes no further than here."""
_EMBEDDABLE_HEADER_NAME = EMBEDDABLE_HEADER.encode()

FALLBACK_MESSAGE = "Something broke on our side. Try again."
"""Said where no page can say it."""

logger = logging.getLogger("headwise")

ErrorPage = Callable[[Request, int, str], Response]


RawHeaders = list[tuple[bytes, bytes]]


def _encode_headers(headers: Mapping[str, str]) -> RawHeaders:
    """Headers as ASGI has them."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


RAW_SECURITY_HEADERS = _encode_headers(SECURITY_HEADERS)


def _log_error(error: Exception, scope: Scope) -> None:
    """The kind of an error and its place; nothing that a learner typed, and no line of theirs."""
    stack = "".join(traceback.format_tb(error.__traceback__))
    path = quote(scope["path"], errors="replace")
    logger.error("%s in %s %s\n%s", type(error).__name__, scope["method"], path, stack)


def _embeddable_headers(origins: Sequence[str]) -> dict[str, str]:
    """`HEADERS` of what may stand in the frames of some sites."""
    default_directive, embed_directive = (
        "frame-ancestors 'none'",
        f"frame-ancestors {' '.join(origins)}",
    )
    policy = CONTENT_SECURITY_POLICY.replace(default_directive, embed_directive)
    headers = SECURITY_HEADERS | {"Content-Security-Policy": policy}
    del headers["X-Frame-Options"]
    return headers


class BodyTooLargeError(HTTPException):
    """Raised where a body is read, and told there or here."""

    def __init__(self, max_bytes: int) -> None:
        message = f"Headwise takes at most {max_bytes:,} bytes in a request."
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)


class SecurityMiddleware:
    """Wraps the whole application, so that errors and refusals carry the headers too."""

    def __init__(self, app: ASGIApp, settings: Settings, error_page: ErrorPage) -> None:
        self.app = app
        self.settings = settings
        self.error_page = error_page
        self.embeddable_headers = (
            _encode_headers(_embeddable_headers(settings.embed_origins))
            if settings.embed_origins
            else []
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": self._with_headers(message["headers"])}
            await send(message)

        try:
            if rejection := self._reject_too_large(scope):
                await rejection(scope, receive, send_with_headers)
            else:
                await self.app(scope, self._limit_body(receive), send_with_headers)
        except BodyTooLargeError as error:
            page = self._error_response(scope, error.status_code, error.detail)
            await page(scope, receive, send_with_headers)
        except Exception as error:
            _log_error(error, scope)
            if not started:
                page = self._error_response(scope, HTTPStatus.INTERNAL_SERVER_ERROR)
                await page(scope, receive, send_with_headers)

    def _error_response(self, scope: Scope, status: int, message: str = "") -> Response:
        """Plain text where making the page is what fails."""
        try:
            return self.error_page(Request(scope), status, message)
        except Exception as error:
            _log_error(error, scope)
            return PlainTextResponse(FALLBACK_MESSAGE, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _with_headers(self, headers: RawHeaders) -> RawHeaders:
        """An answer's headers, and of ours those that it does not bring itself.

        What says that it is an embedded lab may stand in the frames of some sites.
        """
        present = {name.lower() for name, _ in headers}
        if _EMBEDDABLE_HEADER_NAME in present:
            headers = [each for each in headers if each[0].lower() != _EMBEDDABLE_HEADER_NAME]
        defaults = (
            self.embeddable_headers
            if self.embeddable_headers and _EMBEDDABLE_HEADER_NAME in present
            else RAW_SECURITY_HEADERS
        )
        return [*headers, *(each for each in defaults if each[0] not in present)]

    def _reject_too_large(self, scope: Scope) -> Response | None:
        if len(scope["query_string"]) > self.settings.max_query_bytes:
            message = (
                f"This address is longer than {self.settings.max_query_bytes:,} bytes. "
                "Go back and shorten the sentence; it is still in its field."
            )
            return self._error_response(scope, HTTPStatus.REQUEST_URI_TOO_LONG, message)
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > self.settings.max_body_bytes:
            error = BodyTooLargeError(self.settings.max_body_bytes)
            return self._error_response(scope, error.status_code, error.detail)
        return None

    def _limit_body(self, receive: Receive) -> Callable[[], Awaitable[Message]]:
        n_bytes = 0

        async def receive_limited() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > self.settings.max_body_bytes:
                raise BodyTooLargeError(self.settings.max_body_bytes)
            return message

        return receive_limited


class QueryStrippingFilter(logging.Filter):
    """Takes the query, which holds what learners type, out of uvicorn's access log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, path, *rest = record.args
            record.args = (client, method, str(path).partition("?")[0], *rest)
        return True


def strip_queries_from_access_log() -> None:
    access = logging.getLogger("uvicorn.access")
    if not any(isinstance(each, QueryStrippingFilter) for each in access.filters):
        access.addFilter(QueryStrippingFilter())
