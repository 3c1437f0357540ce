"""HTML of the lists of links that every view has: built in Python, since many small pieces are slow
in a template.
"""

from collections.abc import Mapping

from markupsafe import Markup, escape

from app.exports.figure import PNG_SCALES
from app.exports.formats import FORMATS
from app.lesson import Lesson, Step

DATA_FILES = tuple(
    (name, export_format.label)
    for name, export_format in FORMATS.items()
    if not name.endswith((".svg", ".png"))
)
"""Name and label of each file that a page offers besides pictures."""

PICTURE_THEMES = ("light", "dark")


def step_links(lesson: Lesson, current: Step, urls: Mapping[str, str]) -> Markup:
    """Return a list item for each step of the outline; planned steps have no link.

    `urls` are the links to the steps by their slugs.
    """
    items = []
    for entry in lesson.outline:
        title = escape(entry.title)
        if entry.step:
            url = escape(urls[entry.step.slug])
            is_current = ' aria-current="step"' if entry.step is current else ""
            items.append(
                f'<li><a href="{url}" data-step="{entry.number}"{is_current}'
                f' title="{title}" aria-label="{title}">{entry.number}</a></li>\n'
            )
        else:
            why = escape(entry.why)
            items.append(f'<li><span title="{title}: {why}">{entry.number}</span></li>\n')
    return Markup("".join(items))  # noqa: S704


def file_links(path: Markup, query: Markup, new_tab: str, has_comparison: bool) -> Markup:
    """Return a list item for each file of a view and for each theme of its pictures.

    `new_tab` holds more attributes of each link. A PNG has no `download` attribute: the browser
    then shows the message if it is too large to be drawn.
    """
    items = [
        f'<li><a href="{path}/export/{name}?{query}"{new_tab} download>{label}</a></li>\n'
        for name, label in DATA_FILES
    ]
    pictures = [("map", ""), ("difference", "difference, ")] if has_comparison else [("map", "")]
    for picture, label in pictures:
        for theme in PICTURE_THEMES:
            url, themed_query = f"{path}/export/{picture}", f"{query}&amp;theme={theme}"
            svg = f'<a href="{url}.svg?{themed_query}"{new_tab} data-add-heat download>SVG</a>'
            pngs = [
                f', <a href="{url}.png?{themed_query}&amp;scale={scale}"{new_tab} data-add-heat>'
                f"PNG {scale}×</a>"
                for scale in PNG_SCALES
            ]
            items.append(f"<li>{label}{theme}: {svg}{''.join(pngs)}</li>\n")
    return Markup("".join(items))  # noqa: S704
