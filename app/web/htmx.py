"""What htmx says of a request, and what it wants to hear back."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

TEXT_FIELD = "input#text"
REQUEST_HEADERS = ("HX-Request-Type", "HX-Source", "HX-Current-URL")
"""The headers that are read here."""

VARY_REQUEST_TYPE = REQUEST_HEADERS[0]
"""What a page and its fragment differ by."""

VARY_ALL_HTMX_HEADERS = ", ".join(REQUEST_HEADERS)
"""What a fragment with an address for the browser's bar depends on."""


@dataclass(frozen=True)
class HtmxDetails:
    """`partial`: swap the lab only; a history restore asks for the full page instead.

    `typing`: the request comes from the sentence field, one of many on the way to a sentence.
    `current`: path and query of the page that asks.
    """

    is_partial: bool
    is_typing: bool
    current_path_and_query: str = ""

    def history_headers(self, path_and_query: str) -> dict[str, str]:
        """Typing replaces the address, choosing another view adds one to go back from."""
        if not self.is_partial:
            return {}
        replaces = self.is_typing or self.current_path_and_query == path_and_query
        return {"HX-Replace-Url" if replaces else "HX-Push-Url": path_and_query}


def htmx_details(request: Request) -> HtmxDetails:
    return HtmxDetails(
        is_partial=request.headers.get("HX-Request-Type") == "partial",
        is_typing=request.headers.get("HX-Source") == TEXT_FIELD,
        current_path_and_query=_path_and_query(request.headers.get("HX-Current-URL", "")),
    )


def _path_and_query(url: str) -> str:
    """Nothing of what is no address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.path}?{parts.query}"
