"""What htmx says of a request, and what it wants to hear back."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

TEXT_FIELD = "input#text"
READ = ("HX-Request-Type", "HX-Source", "HX-Current-URL")
"""The headers that are read here."""

VARY = READ[0]
"""What a page and its fragment differ by."""

VARY_WITH_ADDRESS = ", ".join(READ)
"""What a fragment with an address for the browser's bar depends on."""


@dataclass(frozen=True)
class Htmx:
    """`partial`: swap the lab only; a history restore asks for the full page instead.

    `typing`: the request comes from the sentence field, one of many on the way to a sentence.
    `current`: path and query of the page that asks.
    """

    partial: bool
    typing: bool
    current: str = ""

    def address_headers(self, address: str) -> dict[str, str]:
        """Typing replaces the address, choosing another view adds one to go back from."""
        if not self.partial:
            return {}
        stays = self.typing or self.current == address
        return {"HX-Replace-Url" if stays else "HX-Push-Url": address}


def htmx_of(request: Request) -> Htmx:
    return Htmx(
        partial=request.headers.get("HX-Request-Type") == "partial",
        typing=request.headers.get("HX-Source") == TEXT_FIELD,
        current=_path_and_query(request.headers.get("HX-Current-URL", "")),
    )


def _path_and_query(address: str) -> str:
    """Nothing of what is no address."""
    try:
        page = urlsplit(address)
    except ValueError:
        return ""
    return f"{page.path}?{page.query}"
