"""HEAD requests."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadMiddleware:
    """Answer HEAD as GET without the body, so that both have the same headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            await send(without_body(message))

        await self.app({**scope, "method": "GET"}, receive, send_without_body)


def without_body(message: Message) -> Message:
    """Return a response message with an empty body, also in place of a file."""
    if message["type"] == "http.response.body":
        return {**message, "body": b""}
    if message["type"] == "http.response.pathsend":
        return {"type": "http.response.body", "body": b""}
    return message
