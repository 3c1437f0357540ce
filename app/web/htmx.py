"""The request headers of htmx, and the response headers that set the browser's URL."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

TEXT_FIELD = "input#text"
"""The sentence field, as htmx names the element that sent a request."""

REQUEST_HEADERS = ("HX-Request-Type", "HX-Source", "HX-Current-URL")
"""The request headers that responses depend on."""

VARY_REQUEST_TYPE = REQUEST_HEADERS[0]
"""`Vary` of pages: the header by which a page and its fragment differ."""

VARY_ALL_HTMX_HEADERS = ", ".join(REQUEST_HEADERS)
"""`Vary` of fragments that set the browser's URL."""


@dataclass(frozen=True)
class HtmxDetails:
    """The htmx headers of a request, parsed.

    is_partial: only the lab is swapped; a history restore requests the full page instead.
    is_typing: the request comes from the sentence field, while the learner types.
    current_path_and_query: the page that the browser shows.
    """

    is_partial: bool
    is_typing: bool
    current_path_and_query: str = ""

    def history_headers(self, path_and_query: str) -> dict[str, str]:
        """Return the header that puts a URL into the browser: as a new entry of the history, or in
        place of the current one while typing or if it does not change.
        """
        if not self.is_partial:
            return {}
        replaces = self.is_typing or self.current_path_and_query == path_and_query
        return {"HX-Replace-Url" if replaces else "HX-Push-Url": path_and_query}


def htmx_details(request: Request) -> HtmxDetails:
    """Parse the htmx headers of a request."""
    return HtmxDetails(
        is_partial=request.headers.get("HX-Request-Type") == "partial",
        is_typing=request.headers.get("HX-Source") == TEXT_FIELD,
        current_path_and_query=_path_and_query(request.headers.get("HX-Current-URL", "")),
    )


def _path_and_query(url: str) -> str:
    """Return path and query of a URL, "" if it is invalid."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.path}?{parts.query}"
