"""The prose of a step as segments: text, and the parts of the step that markers place.

Markers stand on lines of their own. `::deeper Title` … `::end` holds what is folded away,
`::default` … `::end` and `::own` … `::end` what is shown only for the step's own sentence, or only
for a learner's.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from app.lesson.live_html import LiveHtml
from app.lesson.markdown import blocks, render_inline

REQUIRED_MARKERS = ("lab", "predict", "check")
MARKERS = (*REQUIRED_MARKERS, "shapes", "code")
"""Markers that place a part of the step."""

DEEPER = "deeper"
CONDITIONS = ("default", "own")
BLOCKS = (DEEPER, *CONDITIONS)
"""Markers that start a block, which `END` ends."""

END = "end"
_MARKER = re.compile(r"^::(\w+)(?:[ \t]+(\S.*?))?[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Marker:
    """A marker with its line, counted from 1; `title` follows the name on the same line."""

    name: str
    title: str
    line: int


@dataclass(frozen=True)
class Segment:
    """A part of a step in reading order.

    kind: "prose", "deeper" or one of `MARKERS`.
    html: fixed prose; live prose has `live_html` instead, which is rendered for each view into an
        element with the id `id`.
    condition: None, or one of `CONDITIONS`; only live prose has one.
    title, segments: the summary of a "deeper" segment as HTML, and what is in it.
    """

    kind: str
    html: str = ""
    live_html: LiveHtml | None = None
    id: str = ""
    condition: str | None = None
    title: str = ""
    segments: tuple["Segment", ...] = ()

    @property
    def live(self) -> bool:
        """Whether the prose depends on the view."""
        return self.live_html is not None


def flatten(segments: Sequence[Segment]) -> Iterator[Segment]:
    """Yield segments and those inside them."""
    for segment in segments:
        yield segment
        yield from flatten(segment.segments)


def markers(prose: str) -> list[Marker]:
    """Return every marker."""
    return [
        Marker(found[1], found[2] or "", prose.count("\n", 0, found.start()) + 1)
        for found in _MARKER.finditer(prose)
    ]


def without_markers(prose: str) -> str:
    """Return the prose with an empty line in place of each marker."""
    return _MARKER.sub("", prose)


def segments(prose: str) -> tuple[Segment, ...]:
    """Return the text and the markers in order. Unknown and unmatched markers are left out."""
    return _Builder().build(prose)


@dataclass
class _Builder:
    """The segments so far; those of an open "deeper" block are collected in `inner`."""

    n_live: int = 0
    outer: list[Segment] = field(default_factory=list)
    inner: list[Segment] = field(default_factory=list)
    title: str | None = None
    condition: str | None = None

    def build(self, prose: str) -> tuple[Segment, ...]:
        position = 0
        for marker in _MARKER.finditer(prose):
            self._add_text(prose[position : marker.start()])
            self._add_marker(marker[1], marker[2] or "")
            position = marker.end()
        self._add_text(prose[position:])
        self._close_deeper()
        return tuple(self.outer)

    @property
    def _current(self) -> list[Segment]:
        return self.outer if self.title is None else self.inner

    def _add_marker(self, name: str, title: str) -> None:
        if name in MARKERS:
            self._current.append(Segment(name))
        elif name in CONDITIONS:
            self.condition = name
        elif name == DEEPER:
            self._close_deeper()
            self.title = title
        elif name == END and self.condition:
            self.condition = None
        elif name == END:
            self._close_deeper()

    def _close_deeper(self) -> None:
        if self.title is None:
            return
        title, inner = render_inline(self.title), tuple(self.inner)
        self.title, self.inner = None, []
        self.outer.append(Segment(DEEPER, title=title, segments=inner))

    def _add_text(self, text: str) -> None:
        html_blocks = [LiveHtml.parse(block) for block in blocks(text)]
        if self.condition:
            if html_blocks:
                self._add_live(html_blocks)
            return
        for is_live, group in groupby(html_blocks, key=lambda block: block.has_gaps):
            if is_live:
                self._add_live(list(group))
            else:
                html = "".join(str(part) for block in group for part in block.parts)
                self._current.append(Segment("prose", html))

    def _add_live(self, html_blocks: list[LiveHtml]) -> None:
        parts = tuple(part for block in html_blocks for part in block.parts)
        segment = Segment(
            "prose",
            live_html=LiveHtml(parts),
            id=f"live-{self.n_live}",
            condition=self.condition,
        )
        self.n_live += 1
        self._current.append(segment)
