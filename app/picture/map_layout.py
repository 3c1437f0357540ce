"""The geometry of attention maps: cells, labels, and everything that all heads share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from html import escape
from math import ceil, cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from app.picture.text_width import shorten, text_width

# Lengths are in the SVG's user units, which are CSS pixels where a map is as narrow as planned.
_GAP_MIN_CELL, _WIDE_GAP_MIN_CELL = 8, 20
_PIXELS_PER_EM = 16
_LABEL_CACHE_SIZE = 1024
MIN_LABELLED_CELL = 14
"""Maps of a given cell size have labels if their cells are at least this large, in pixels."""

LABEL_MIN_CELL = 11
"""With smaller cells, labels would overlap."""
_SLANTS = {"slanted": 60, "steep": 75}
"""Angles of slanted labels; those of narrow columns are steeper, so that they stay apart."""

_SLANT_RUN = {name: cos(radians(angle)) for name, angle in _SLANTS.items()}
_SLANT_RISE = {name: sin(radians(angle)) for name, angle in _SLANTS.items()}
_STEEP_MIN_CELL, _SLANT_MIN_CELL = 13, 24
_MAX_FITTING_N = 16
_NUMBER_SIZE = 26
_FEW_CELLS_N, _FEW_CELLS_NUMBER_SIZE = 4, 22
"""Cells of a map of few cells have numbers although they are a little narrow."""
_LARGE_CELLS = (12, 16)
_MAX_LARGE_WIDTH = 740
_TOTALS_BASELINE, _TOTALS_HEIGHT = 17, 22


@dataclass(frozen=True)
class _Size:
    """How large maps are that stand side by side in a lab 745 px wide.

    width: the least width at which a map is shown, that is on phones if not in the lab.
    scale: how much wider it may become; text is never smaller than `font_size` pixels.
    """

    width: int
    scale: float
    font_size: float
    max_label_width: float
    max_cell: int


_SIZES = (
    _Size(width=290, scale=1.0, font_size=13.0, max_label_width=96, max_cell=40),
    _Size(width=290, scale=1.25, font_size=13.0, max_label_width=96, max_cell=40),
    _Size(width=144, scale=1.4, font_size=12.0, max_label_width=54, max_cell=30),
    _Size(width=144, scale=1.22, font_size=12.0, max_label_width=54, max_cell=30),
    _Size(width=139, scale=1.0, font_size=12.0, max_label_width=54, max_cell=30),
)
"""Sizes of one to five maps in a row. Of three or more, two stand in a row on phones."""


@dataclass(frozen=True)
class Axis:
    """The tokens along both sides of a map.

    `word_of` has the word index of each token: tokens of one word are joined by a bracket.
    `queries` are the consecutive rows to frame.
    """

    labels: Sequence[str]
    word_of: Sequence[int]
    queries: Sequence[int]

    @cached_property
    def full_size_labels(self) -> "_Labels":
        """The labels of a map that stands alone, and of maps of a given cell size."""
        return _Labels(self, _SIZES[0])

    @property
    def split_words(self) -> list[tuple[int, int]]:
        """First and last token index of each word of several tokens."""
        firsts = [i for i, word in enumerate(self.word_of) if i == 0 or self.word_of[i - 1] != word]
        lasts = [after - 1 for after in firsts[1:]] + [len(self.word_of) - 1]
        return [(first, last) for first, last in zip(firsts, lasts, strict=True) if last > first]


@dataclass(frozen=True)
class Area:
    """Neighbouring cells of a map that are outlined together."""

    rows: range
    columns: range


@dataclass(frozen=True)
class Cells:
    """Geometry of the cells of an (n, n) map with its corner at (0, 0); lists are row by row."""

    n: int
    cell_size: int
    gap: int

    @property
    def group(self) -> str:
        """The opening tag of the group of cells."""
        css_class = "cells" if self.gap else "cells crisp"
        return f'<g class="{css_class}" stroke-width="{self.cell_size - self.gap}">'

    @property
    def side(self) -> int:
        return self.n * self.cell_size

    @cached_property
    def strokes(self) -> list[str]:
        """Path of each cell: a horizontal stroke, whose stroke-width is the cell's height."""
        length, middle, inset = self.cell_size - self.gap, self.cell_size / 2, self.gap / 2
        return [
            f"M{column * self.cell_size + inset:g} {row * self.cell_size + middle:g}h{length}"
            for row, column in np.ndindex(self.n, self.n)
        ]

    @cached_property
    def outlines(self) -> list[str]:
        """Path around each cell."""
        side, inset = self.cell_size - self.gap - 1, (self.gap + 1) / 2
        return [
            f"M{column * self.cell_size + inset:g} {row * self.cell_size + inset:g}"
            f"h{side}v{side}h-{side}z"
            for row, column in np.ndindex(self.n, self.n)
        ]

    @cached_property
    def crosses(self) -> list[str]:
        """Path across each cell, from corner to corner."""
        length, inset = self.cell_size - self.gap - 2, self.gap / 2 + 1
        return [
            f"M{column * self.cell_size + inset:g} {row * self.cell_size + inset:g}"
            f"l{length} {length}"
            for row, column in np.ndindex(self.n, self.n)
        ]

    @cached_property
    def minus_signs(self) -> list[str]:
        """Path of a minus sign in each cell."""
        length = max(self.cell_size // 3, 1)
        inset = (self.cell_size - length) / 2
        return [
            f"M{column * self.cell_size + inset:g} {(row + 0.5) * self.cell_size:g}h{length}"
            for row, column in np.ndindex(self.n, self.n)
        ]

    @cached_property
    def row_starts(self) -> range:
        """Index of the first cell of each row."""
        return range(0, self.n * self.n, self.n)

    @cached_property
    def number_positions(self) -> list[str]:
        """Attributes x and y of the number in each cell."""
        half = self.cell_size / 2
        return [
            f'x="{column * self.cell_size + half:g}" y="{row * self.cell_size + half + 4:g}"'
            for row, column in np.ndindex(self.n, self.n)
        ]


@cache
def _cells(n: int, cell_size: int) -> Cells:
    gap = 2 if cell_size >= _WIDE_GAP_MIN_CELL else 1 if cell_size >= _GAP_MIN_CELL else 0
    return Cells(n, cell_size, gap)


@cache
def thumbnail_cells(n: int) -> Cells:
    """Return cells for a map that readers recognise but do not read cell by cell."""
    if n <= 7:
        return Cells(n, 14, 2)
    if n <= 14:
        return Cells(n, 8, 1)
    return Cells(n, 4, 0)


class HeatmapLayout:
    """Everything of a map except its cells: the same for all heads on the same tokens.

    `columns` is the number of maps side by side in a wide lab, 1 to 5; more than 5 are as small as
    5. Labels are measured and never cut: long ones are shortened, and maps of tiny cells name only
    the queries that ask, and the key that they read most.

    With a `cell_size` in pixels, the map has labels if they fit; `shows_queries` is false for maps
    that stand to the right of another one with the same rows. Their width is in em: 16 pixels are
    1 em, so that a stylesheet can scale a row of maps to its container. Slanted labels may extend
    beyond the right edge, unless the map `ends_row`. `totals` are texts under the columns.

    fits: the map is as wide as planned; one map of a longer sentence is wider, several have cells
        too small to read.
    scrolls: the map is wider than a narrow page.
    width, height: of the map at full size.
    """

    def __init__(  # noqa: PLR0913
        self,
        axis: Axis,
        columns: int = 1,
        *,
        cell_size: int | None = None,
        shows_queries: bool = True,
        ends_row: bool = True,
        totals: Sequence[str] = (),
    ) -> None:
        n = len(axis.labels)
        self.axis = axis
        self.size = _SIZES[min(columns, len(_SIZES)) - 1]
        labels = axis.full_size_labels if self.size is _SIZES[0] else _Labels(axis, self.size)
        is_fitted = cell_size is not None
        self.fits = is_fitted or n <= _MAX_FITTING_N
        self.scrolls = columns == 1 and not self.fits
        if cell_size is None:
            cell_size, self.names_all = self._cell_size(labels)
            self.has_labels = True
        else:
            self.names_all = self.has_labels = cell_size >= MIN_LABELLED_CELL
        self.cells = _cells(n, cell_size)
        direction = labels.direction(cell_size) if self.names_all else "single"
        if not self.has_labels:
            direction = "none"
        self.left = label_width = labels.left(all_names=self.names_all)
        self.shows_queries = self.has_labels and shows_queries
        if not self.shows_queries:
            self.left = 2
        self.top = labels.top(direction)
        self.right = labels.overhang(direction, self.cells) if ends_row else 2
        box_width, box_height = self.left + self.cells.side + self.right, self.top + self.cells.side
        if totals:
            box_height += _TOTALS_HEIGHT
        self.width = round(box_width * self.size.scale)
        self.height = round((box_height + 2) * self.size.scale)
        width, height = (
            f"{each / _PIXELS_PER_EM:g}em" if is_fitted else f"{each}"
            for each in (self.width, self.height)
        )
        css_class = "map map-large" if self.scrolls else "map map-fitted" if is_fitted else "map"
        if not self.has_labels:
            css_class += " map-thumb"
        self.tag = (
            f'<svg class="{css_class}" viewBox="0 0 {box_width} {box_height + 2}"'
            f' width="{width}" height="{height}"'
        )
        names = labels.svg(direction, self.cells, self.left, self.top, shows_queries=shows_queries)
        self.row_labels = self._row_labels(labels, label_width, box_height + 2)
        side = self.cells.side
        self.opening = (
            f'{names}<g transform="translate({self.left} {self.top})">'
            f'<rect class="ground" width="{side}" height="{side}"/>'
        )
        self.closing = f"{self._query_frame(axis.queries)}{self._totals(totals)}</g></svg>"

    def _row_labels(self, labels: "_Labels", width: int, height: int) -> str:
        """Return the labels of rows as a picture to put beside the map, "" without labels."""
        if not self.has_labels:
            return ""
        return (
            f'<svg class="map map-thumb row-labels" viewBox="0 0 {width} {height}"'
            f' width="{width / _PIXELS_PER_EM:g}em" height="{height / _PIXELS_PER_EM:g}em"'
            f' aria-hidden="true"><g font-size="{labels.font_size:g}">'
            f"{labels.query_texts(self.cells, width, self.top)}</g></svg>"
        )

    @property
    def has_numbers(self) -> bool:
        """Whether cells are large enough for their weights, in full or shortened."""
        cell_size = self.cells.cell_size
        smallest = _FEW_CELLS_NUMBER_SIZE if self.cells.n <= _FEW_CELLS_N else _NUMBER_SIZE
        return cell_size >= _FEW_CELLS_NUMBER_SIZE and cell_size * self.size.scale >= smallest

    def _cell_size(self, labels: "_Labels") -> tuple[int, bool]:
        """Return the largest cells with which the map has the planned width, and whether all of its
        rows and columns are named.
        """
        size, n = self.size, len(self.axis.labels)
        if self.scrolls:
            smallest, largest = _LARGE_CELLS
            room = (_MAX_LARGE_WIDTH - labels.left(all_names=True) - 2) // n
            return min(max(room, smallest), largest), True
        for all_names in (True, False):
            room = size.width - labels.left(all_names=all_names)
            cell_size = min((room - 2) // n, size.max_cell)
            while all_names and n * cell_size + self._overhang(labels, cell_size) > room:
                cell_size -= 1
            if cell_size >= LABEL_MIN_CELL:
                return cell_size, all_names
        return max(cell_size, 1), False

    def _overhang(self, labels: "_Labels", cell_size: int) -> int:
        """Return how far slanted labels of keys reach beyond the last column."""
        n = len(self.axis.labels)
        return labels.overhang(labels.direction(cell_size), _cells(n, cell_size))

    def _query_frame(self, queries: Sequence[int]) -> str:
        first, last, cell_size = min(queries), max(queries), self.cells.cell_size
        return (
            f'<rect class="query-frame" x="-1" y="{first * cell_size - 1}"'
            f' width="{self.cells.side + 2}" height="{(last - first + 1) * cell_size + 2}" rx="4"/>'
        )

    def _totals(self, totals: Sequence[str]) -> str:
        if not totals:
            return ""
        y, size = self.cells.side + _TOTALS_BASELINE, self.cells.cell_size
        texts = [
            f'<text class="total" x="{(column + 0.5) * size:g}" y="{y}">{escape(text)}</text>'
            for column, text in enumerate(totals)
        ]
        return f'<text class="total-name" x="-6" y="{y}">sum</text>{"".join(texts)}'

    def open(self, name: str) -> str:
        """Return the SVG up to its cells. Without a `name`, it is hidden from screen readers."""
        access = f'role="img" aria-label="{escape(name)}"' if name else 'aria-hidden="true"'
        return f"{self.tag} {access}>{self.opening}"

    def top_key(self, weights: NDArray[np.floating]) -> str:
        """Return the name of the key that the queries read most, if keys have no other names."""
        if self.names_all or not self.has_labels:
            return ""
        key = int(weights[list(self.axis.queries)].sum(axis=0).argmax())
        label = shorten(self.axis.labels[key], self.size.font_size, self.size.max_label_width)
        half = text_width(label, self.size.font_size) / 2
        middle = (key + 0.5) * self.cells.cell_size
        x = min(max(middle, half - self.left), self.cells.side + self.right - half)
        return (
            f'<text class="key-name" x="{x:.1f}" y="-7" font-size="{self.size.font_size:g}">'
            f"{escape(label)}</text>"
            f'<path class="key-tick" d="M{middle:g} -4v4"/>'
        )


def longest_label(axis: Axis) -> int:
    """Return the width of the longest label of a map of a given cell size, in pixels."""
    return ceil(max(axis.full_size_labels.widths))


def query_label_width(axis: Axis) -> int:
    """Return the room that the labels of rows take in a map of a given cell size, in pixels."""
    return axis.full_size_labels.left(all_names=True)


class _Labels:
    """The labels along both sides of a map, shortened to the width that they may have."""

    def __init__(self, axis: Axis, size: _Size) -> None:
        self.axis, self.font_size = axis, size.font_size
        self.keys = [shorten(text, size.font_size, size.max_label_width) for text in axis.labels]
        self.widths = [text_width(text, size.font_size) for text in self.keys]
        self.queries = [
            shorten(text, size.font_size, size.max_label_width, bold=index in axis.queries)
            for index, text in enumerate(axis.labels)
        ]
        asking = "".join(axis.labels[index] for index in axis.queries)
        self.asking = shorten(asking, size.font_size, size.max_label_width, bold=True)

    def left(self, *, all_names: bool) -> int:
        """Return the width beside the cells."""
        widths = [text_width(self.asking, self.font_size, bold=True)]
        if all_names:
            widths = [
                text_width(text, self.font_size, bold=index in self.axis.queries)
                for index, text in enumerate(self.queries)
            ]
        return ceil(max(widths)) + (9 if self.axis.split_words else 6)

    def direction(self, cell_size: int) -> str:
        """Return how the keys are written: "upright", "slanted", "steep" or "vertical"."""
        if max(self.widths) <= cell_size - 3:
            return "upright"
        if cell_size >= _SLANT_MIN_CELL:
            return "slanted"
        return "steep" if cell_size >= _STEEP_MIN_CELL else "vertical"

    def top(self, direction: str) -> int:
        """Return the height above the cells."""
        if direction == "none":
            return 2
        if direction in ("upright", "single"):
            return ceil(self.font_size) + 8
        height = max(self.widths) * _SLANT_RISE.get(direction, 1)
        return ceil(height + (self.font_size * 0.4 if direction in _SLANTS else 0)) + 8

    def overhang(self, direction: str, cells: Cells) -> int:
        """Return the width that labels of keys need to the right of the cells."""
        if direction not in _SLANTS:
            return 2
        # From the middle of the last column.
        steps = range((1 - cells.n) * cells.cell_size, 1, cells.cell_size)
        end = max(
            [
                step + width * _SLANT_RUN[direction]
                for step, width in zip(steps, self.widths, strict=True)
            ]
        )
        return max(2, ceil(end + self.font_size * 0.6 - cells.cell_size / 2))

    def svg(self, direction: str, cells: Cells, left: int, top: int, *, shows_queries: bool) -> str:
        """Return the labels and the brackets of split words."""
        if direction == "none":
            return ""
        keys = "".join(
            f'<text class="key" {position}>{label_content(text, whole)}</text>'
            for text, whole, position in zip(
                self.keys,
                self.axis.labels,
                self._key_positions(direction, cells, left, top),
                strict=True,
            )
        )
        queries = self.query_texts(cells, left, top)
        size = f'font-size="{self.font_size:g}"'
        if not shows_queries:
            queries = f'<g visibility="hidden">{queries}</g>'
        if direction != "single":
            brackets = self._brackets(cells, left, top)
            return f"<g {size}>{keys}{brackets}{queries}</g>"
        first, last = min(self.axis.queries), max(self.axis.queries)
        middle = top + (first + last + 1) / 2 * cells.cell_size
        y = min(max(middle + self.font_size / 3, self.font_size), top + cells.side)
        # Scripts read the hidden labels.
        return (
            f'<g display="none">{keys}{queries}</g><text class="query-name chosen" {size}'
            f' x="{left - 6}" y="{y:.0f}">{escape(self.asking)}</text>'
        )

    def query_texts(self, cells: Cells, left: int, top: int) -> str:
        """Return the labels of rows, which end to the left of `left`."""
        return "".join(
            f'<text class="{"query chosen" if index in self.axis.queries else "query"}"'
            f' x="{left - 6}" y="{top + self._baseline(index, cells):.1f}">'
            f"{label_content(text, whole)}</text>"
            for index, (text, whole) in enumerate(zip(self.queries, self.axis.labels, strict=True))
        )

    def _baseline(self, row: int, cells: Cells) -> float:
        return (row + 0.5) * cells.cell_size + self.font_size / 3

    def _key_positions(self, direction: str, cells: Cells, left: int, top: int) -> Iterator[str]:
        for index in range(cells.n):
            x = left + (index + 0.5) * cells.cell_size
            if direction in _SLANTS:
                shift = 3 if direction == "slanted" else 4
                yield f'transform="translate({x + shift} {top - 6}) rotate(-{_SLANTS[direction]})"'
            elif direction == "vertical":
                yield f'transform="translate({x + self.font_size / 3:.1f} {top - 6}) rotate(-90)"'
            else:
                yield f'x="{x:g}" y="{top - 7}" text-anchor="middle"'

    def _brackets(self, cells: Cells, left: int, top: int) -> str:
        size, parts = cells.cell_size, []
        for first, last in self.axis.split_words:
            begin, end = left + first * size + 3, left + (last + 1) * size - 3
            parts.append(f'<path class="word-bracket" d="M{begin} {top - 3}H{end}"/>')
            begin, end = top + first * size + 3, top + (last + 1) * size - 3
            parts.append(f'<path class="word-bracket" d="M{left - 3} {begin}V{end}"/>')
        return "".join(parts)


@lru_cache(_LABEL_CACHE_SIZE)
def label_content(text: str, whole: str) -> str:
    """Return the escaped content of a label; a shortened one has the whole text as its tooltip."""
    return escape(text) if text == whole else f"<title>{escape(whole)}</title>{escape(text)}"
