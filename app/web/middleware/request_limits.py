"""Limits on the size of a request."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyTooLargeError(HTTPException):
    """A request body of more than `max_bytes`: status 413."""

    def __init__(self, max_bytes: int) -> None:
        message = f"Headwise takes at most {max_bytes:,} bytes in a request."
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)


class QueryTooLongError(HTTPException):
    """A query string of more than `max_bytes`: status 414."""

    def __init__(self, max_bytes: int) -> None:
        message = (
            f"This address is longer than {max_bytes:,} bytes. "
            "Go back and shorten the sentence; it is still in its field."
        )
        super().__init__(HTTPStatus.REQUEST_URI_TOO_LONG, message)


class RequestLimitsMiddleware:
    """Raise `QueryTooLongError` or `BodyTooLargeError` for a request that is too large.

    A body without a Content-Length is counted while the application reads it.
    """

    def __init__(self, app: ASGIApp, max_query_bytes: int, max_body_bytes: int) -> None:
        self.app = app
        self.max_query_bytes = max_query_bytes
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if len(scope["query_string"]) > self.max_query_bytes:
            raise QueryTooLongError(self.max_query_bytes)
        if _content_length(scope) > self.max_body_bytes:
            raise BodyTooLargeError(self.max_body_bytes)
        n_bytes = 0

        async def receive_counted() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > self.max_body_bytes:
                raise BodyTooLargeError(self.max_body_bytes)
            return message

        await self.app(scope, receive_counted, send)


def _content_length(scope: Scope) -> int:
    """Return the announced length of the body, 0 if there is none; 20 digits are enough."""
    length = Headers(scope=scope).get("content-length", "0")
    return int(length[:20]) if length.isdecimal() else 0
