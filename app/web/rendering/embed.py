"""The HTML that embeds a lab in a page of another site."""

from html import escape
from urllib.parse import urlsplit

FRAME_WIDTH, FRAME_HEIGHT = 760, 900
"""Default size of the frame in pixels; `/embed.js` sets the height once the lab has reported it."""


def iframe_html(url: str, title: str, width: int = FRAME_WIDTH, height: int = FRAME_HEIGHT) -> str:
    """Return the frame, and the script that fits its height to the lab."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    return (
        f'<iframe src="{escape(url)}" title="{escape(title)}" width="{width}"'
        f' height="{height}" data-headwise></iframe><script async src="{origin}/embed.js"></script>'
    )
