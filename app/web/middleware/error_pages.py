"""An error response for every exception that leaves the application."""

import logging
import traceback
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FALLBACK_MESSAGE = "Something went wrong on our side. Try again."
"""The answer if the error page fails as well."""

ErrorResponse = Callable[[Request, int, str], Response]
"""Make a response from a request, a status and a message; an empty message means the default."""

logger = logging.getLogger("headwise")


class ErrorPageMiddleware:
    """Answer an `HTTPException` with its status, and log any other exception and answer 500.

    If the response has already started, the error is logged and nothing more is sent.
    """

    def __init__(self, app: ASGIApp, error_response: ErrorResponse) -> None:
        self.app = app
        self.error_response = error_response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_and_note_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_and_note_start)
            return
        except HTTPException as error:
            if started:
                _log_error(error, scope)
            status, message, headers = error.status_code, error.detail, error.headers
        except Exception as error:
            _log_error(error, scope)
            status, message, headers = int(HTTPStatus.INTERNAL_SERVER_ERROR), "", None
        if not started:
            response = self._make_response(scope, status, message)
            response.headers.update(headers or {})
            await response(scope, receive, send)

    def _make_response(self, scope: Scope, status: int, message: str) -> Response:
        try:
            return self.error_response(Request(scope), status, message)
        except Exception as error:
            _log_error(error, scope)
            return PlainTextResponse(FALLBACK_MESSAGE, HTTPStatus.INTERNAL_SERVER_ERROR)


def _log_error(error: Exception, scope: Scope) -> None:
    """Log the type of an error and its stack, without messages: they may quote a learner."""
    stack = "".join(traceback.format_tb(error.__traceback__))
    path = quote(scope["path"], errors="replace")
    logger.error("%s in %s %s\n%s", type(error).__name__, scope["method"], path, stack)
