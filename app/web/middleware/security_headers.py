"""Security headers on every response, and the header by which pages know Headwise's own."""

from collections.abc import Mapping, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

RawHeaders = list[tuple[bytes, bytes]]

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
    "Headwise": "1",
}
"""`Headwise` marks every response of ours: pages swap in no other, such as a proxy's error."""

OWN_HEADERS = {"Headwise": "1"}
"""Marks every response of this server: scripts swap no answer of a proxy or a sign-in page."""

EMBEDDABLE_HEADER = "headwise-may-be-framed"
"""Internal response header of an embedded lab; it is removed before the response is sent."""

_EMBEDDABLE_HEADER_NAME = EMBEDDABLE_HEADER.encode()


class SecurityHeadersMiddleware:
    """Add the security headers, and the mark of this server, that a response does not set itself.

    A response with `EMBEDDABLE_HEADER` may be framed by `embed_origins`.
    """

    def __init__(self, app: ASGIApp, embed_origins: Sequence[str] = ()) -> None:
        self.app = app
        self.headers = _encode_headers(OWN_HEADERS | SECURITY_HEADERS)
        self.embeddable_headers = (
            _encode_headers(_embeddable_headers(embed_origins)) if embed_origins else self.headers
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self._with_security_headers(message["headers"])}
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _with_security_headers(self, headers: RawHeaders) -> RawHeaders:
        present = {name.lower() for name, _ in headers}
        defaults = self.headers
        if _EMBEDDABLE_HEADER_NAME in present:
            headers = [each for each in headers if each[0].lower() != _EMBEDDABLE_HEADER_NAME]
            defaults = self.embeddable_headers
        return [*headers, *(each for each in defaults if each[0] not in present)]


def _encode_headers(headers: Mapping[str, str]) -> RawHeaders:
    """Convert headers to ASGI's form: lower-case names, bytes."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _embeddable_headers(origins: Sequence[str]) -> dict[str, str]:
    """Return `SECURITY_HEADERS` with framing allowed to `origins`."""
    policy = CONTENT_SECURITY_POLICY.replace(
        "frame-ancestors 'none'", f"frame-ancestors {' '.join(origins)}"
    )
    headers = OWN_HEADERS | SECURITY_HEADERS | {"Content-Security-Policy": policy}
    del headers["X-Frame-Options"]  # X-Frame-Options cannot list origins.
    return headers
