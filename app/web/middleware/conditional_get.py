"""Requests with If-None-Match."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.middleware.head import without_body

OMITTED_FROM_304 = (b"content-length", b"content-type", b"content-encoding")


class ConditionalGetMiddleware:
    """Answer 304 if the response's ETag is one of those in If-None-Match."""

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
                matches = message["status"] == HTTPStatus.OK and _etag_matches(
                    if_none_match, message
                )
                message = _not_modified(message) if matches else message
            elif matches:
                message = without_body(message)
            await send(message)

        await self.app(scope, receive, send_unless_matched)


def _etag_matches(if_none_match: str, start: Message) -> bool:
    """Compare weakly, as If-None-Match asks. Source: RFC 9110, section 13.1.2."""
    etag = Headers(raw=start["headers"]).get("etag", "")
    etags = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return bool(etag) and ("*" in etags or etag.removeprefix("W/") in etags)


def _not_modified(start: Message) -> Message:
    headers = [each for each in start["headers"] if each[0].lower() not in OMITTED_FROM_304]
    return {**start, "status": int(HTTPStatus.NOT_MODIFIED), "headers": headers}
