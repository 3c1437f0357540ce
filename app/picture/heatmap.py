"""Heads' maps as SVG: rows are queries, columns are keys.

Cells of one heat are one path, drawn as strokes, so that a map of 48 tokens stays small; all
colours come from classes, so that themes and print need no new picture.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from html import escape
from operator import add

import numpy as np
from numpy.typing import NDArray

from app.picture.number_format import (
    SIGNED_LEVELS,
    ink,
    levels,
    short,
    signed_class,
    signed_ink,
    signed_short,
)

_LABEL = 13.5
_LETTER = 7.4
"""Font size and the width of a letter, like all lengths here, in the picture's own units."""

_NUMBERS_UP_TO = 7
_GAPS_UP_TO = 14
_STRAIGHT_LABELS_UP_TO = 6
_LONGEST_LABEL = 12
_MINIATURE = 24
_PLACES = 256


@dataclass(frozen=True)
class Axis:
    """The tokens along both sides; `word_of` joins the pieces of a split word by a bracket.

    The rows in `queries`, which follow one another, are framed.
    """

    labels: Sequence[str]
    word_of: Sequence[int]
    queries: Sequence[int]

    @property
    def split_words(self) -> list[tuple[int, int]]:
        """First and last token of each word that has several."""
        firsts = [i for i, word in enumerate(self.word_of) if i == 0 or self.word_of[i - 1] != word]
        lasts = [after - 1 for after in firsts[1:]] + [len(self.word_of) - 1]
        return [(first, last) for first, last in zip(firsts, lasts, strict=True) if last > first]


@dataclass(frozen=True)
class _Cells:
    """Sizes of the cells of an (n, n) map, whose corner is at 0, 0."""

    n: int
    size: str
    cell: int
    gap: int

    @property
    def side(self) -> int:
        return self.n * self.cell

    @cached_property
    def strokes(self) -> list[str]:
        """A stroke for each cell, row by row, as wide as the cell is high."""
        length, middle, inset = self.cell - self.gap, self.cell // 2, self.gap // 2
        return [
            f"M{column * self.cell + inset} {row * self.cell + middle}h{length}"
            for row, column in np.ndindex(self.n, self.n)
        ]

    @cached_property
    def outlines(self) -> list[str]:
        """A line around each cell, row by row."""
        side, inset = self.cell - self.gap - 1, self.gap // 2 + 0.5
        return [
            f"M{column * self.cell + inset:g} {row * self.cell + inset:g}h{side}v{side}h-{side}z"
            for row, column in np.ndindex(self.n, self.n)
        ]

    @cached_property
    def crosses(self) -> list[str]:
        """A stroke from corner to corner of each cell, row by row."""
        length, inset = self.cell - self.gap - 2, self.gap // 2 + 1
        return [
            f"M{column * self.cell + inset} {row * self.cell + inset}l{length} {length}"
            for row, column in np.ndindex(self.n, self.n)
        ]

    @cached_property
    def rows(self) -> range:
        """The place of the first cell of each row."""
        return range(0, self.n * self.n, self.n)

    @cached_property
    def middles(self) -> list[str]:
        """Where the number of each cell stands, row by row."""
        half = self.cell // 2
        return [
            f'x="{column * self.cell + half}" y="{row * self.cell + half + 4}"'
            for row, column in np.ndindex(self.n, self.n)
        ]


@cache
def _cells(n: int) -> _Cells:
    """With numbers, with gaps between the cells, or with neither."""
    if n <= _NUMBERS_UP_TO:
        return _Cells(n, "small", 40, 2)
    if n <= _GAPS_UP_TO:
        return _Cells(n, "medium", 20, 1)
    return _Cells(n, "large", 16, 0)


@cache
def _thumb_cells(n: int) -> _Cells:
    """Cells so small that a map is a picture to recognise, not to read."""
    if n <= _NUMBERS_UP_TO:
        return _Cells(n, "thumb thumb-14", 14, 2)
    if n <= _GAPS_UP_TO:
        return _Cells(n, "thumb thumb-8", 8, 1)
    return _Cells(n, "thumb thumb-4", 4, 0)


class HeatmapFrame:
    """Everything of a map but its heat: the same for all heads that read the same tokens.

    `scrolls` is true if the map may be wider than a narrow page.
    """

    def __init__(self, axis: Axis) -> None:
        n = len(axis.labels)
        self.cells = _cells(n)
        longest = min(max(map(len, axis.labels)), _LONGEST_LABEL)
        self.left = round(longest * _LETTER) + 18
        straight = n <= _STRAIGHT_LABELS_UP_TO and self.left <= 60
        self.top = 34 if straight else self.left
        self.scrolls = self.cells.size == "large"
        labels = [_label(text) for text in axis.labels]
        places = _places(self.cells, self.left, self.top, straight)
        self.opening = (
            self._opening()
            + self._key_labels(axis, labels, places.keys)
            + self._query_labels(axis, labels, places.queries)
            + self._ground()
        )
        self.closing = f"{self._query_frame(axis.queries)}</g></svg>"

    def _opening(self) -> str:
        width, height = self.left + self.cells.side + 2, self.top + self.cells.side + 2
        return (
            f'<svg class="map map-{self.cells.size}" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}" aria-hidden="true">'
        )

    def _ground(self) -> str:
        return (
            f'<g transform="translate({self.left} {self.top})">'
            f'<rect class="ground" width="{self.cells.side}" height="{self.cells.side}"/>'
        )

    def _key_labels(self, axis: Axis, labels: Sequence[str], places: Sequence[str]) -> str:
        cell = self.cells.cell
        parts = [
            f'<text class="key" {place}>{label}</text>'
            for label, place in zip(labels, places, strict=True)
        ]
        for first, last in axis.split_words:
            begin, end = self.left + first * cell + 3, self.left + (last + 1) * cell - 3
            parts.append(f'<path class="word-bracket" d="M{begin} {self.top - 4}H{end}"/>')
        return "".join(parts)

    def _query_labels(self, axis: Axis, labels: Sequence[str], places: Sequence[str]) -> str:
        cell = self.cells.cell
        parts = [
            f'<text class="{"query chosen" if index in axis.queries else "query"}" {place}>'
            f"{label}</text>"
            for index, (label, place) in enumerate(zip(labels, places, strict=True))
        ]
        for first, last in axis.split_words:
            begin, end = self.top + first * cell + 3, self.top + (last + 1) * cell - 3
            parts.append(f'<path class="word-bracket" d="M{self.left - 4} {begin}V{end}"/>')
        return "".join(parts)

    def _query_frame(self, queries: Sequence[int]) -> str:
        first, last, cell = min(queries), max(queries), self.cells.cell
        return (
            f'<rect class="query-frame" x="-1" y="{first * cell - 1}"'
            f' width="{self.cells.side + 2}" height="{(last - first + 1) * cell + 2}" rx="4"/>'
        )


def shortened(label: str) -> str:
    """A label short enough for an axis; the whole one is in its tooltip."""
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"


def _label(text: str) -> str:
    inside = escape(shortened(text))
    return inside if len(text) <= _LONGEST_LABEL else f"<title>{escape(text)}</title>{inside}"


@dataclass(frozen=True)
class _Places:
    """Where labels stand, of keys and of queries."""

    keys: list[str]
    queries: list[str]


@lru_cache(_PLACES)
def _places(cells: _Cells, left: int, top: int, straight: bool) -> _Places:
    keys, queries = [], []
    for index in range(cells.n):
        middle = (index + 0.5) * cells.cell
        x, y = left + middle, top + middle + _LABEL / 3
        if straight:
            keys.append(f'x="{x:g}" y="{top - 11}" text-anchor="middle"')
        else:
            keys.append(f'transform="translate({x + _LABEL / 3:g} {top - 11}) rotate(-90)"')
        queries.append(f'x="{left - 10}" y="{y:g}"')
    return _Places(keys, queries)


def heatmap(weights: NDArray[np.floating], frame: HeatmapFrame) -> str:
    """SVG of one head's (n, n) weights, hidden from screen readers: say in words beside it what
    it shows.

    Every row's largest cell is outlined, and the weights are written into the cells while there
    are few enough tokens.
    """
    cells = frame.cells
    heat = levels(weights).ravel()
    numbers = _numbers(weights, heat, cells) if cells.n <= _NUMBERS_UP_TO else ""
    return (
        f'{frame.opening}<g class="cells">{_heat(heat, cells)}</g>'
        f"{_maxima(weights, cells)}{numbers}{frame.closing}"
    )


def thumbnail(weights: NDArray[np.floating]) -> str:
    """SVG of one head's (n, n) weights without labels and numbers, for a row of many heads."""
    cells = _thumb_cells(len(weights))
    return _thumb(cells, _heat(levels(weights).ravel(), cells))


def miniature(weights: NDArray[np.floating]) -> str:
    """As `thumbnail`, but of a long sentence not every cell: each stands for the largest weight of
    a block, so that no link is lost among hundreds of maps.
    """
    return thumbnail(blocks(weights))


def blocks(weights: NDArray[np.floating]) -> NDArray[np.floating]:
    """(n, n) as at most `_MINIATURE` rows and columns, each cell the largest of its block."""
    n = len(weights)
    size = -(-n // _MINIATURE)
    if size == 1:
        return weights
    edge = -n % size
    padded = np.pad(weights, (0, edge)).reshape((n + edge) // size, size, -1, size)
    largest: NDArray[np.floating] = padded.max(axis=(1, 3))
    return largest


def signed_thumbnail(values: NDArray[np.floating], largest: float) -> str:
    """As `thumbnail`, for figures of either sign: see `signed_map`."""
    cells = _thumb_cells(len(values))
    return _thumb(cells, _heat(_signed_levels(values, largest), cells, signed_class))


def _thumb(cells: _Cells, heat: str) -> str:
    side = cells.side
    return (
        f'<svg class="map map-{cells.size}" viewBox="0 0 {side} {side}" width="{side}"'
        f' height="{side}" aria-hidden="true"><rect class="ground" width="{side}"'
        f' height="{side}"/><g class="cells">{heat}</g></svg>'
    )


def _signed_levels(values: NDArray[np.floating], largest: float) -> NDArray[np.intp]:
    # np.clip does the same at three times the cost for small maps.
    steps = np.rint(np.minimum(np.maximum(values / largest, -1), 1) * SIGNED_LEVELS)
    return np.where(np.isfinite(values), steps, 0).astype(np.intp).ravel()


def signed_map(values: NDArray[np.floating], frame: HeatmapFrame, largest: float) -> str:
    """SVG of (n, n) figures of either sign, which are no weights: scores, or differences.

    Colours run from −`largest` over the page's background at 0 to `largest`; cells of minus
    infinity are crossed out.
    """
    cells = frame.cells
    heat = _signed_levels(values, largest)
    forbidden = np.flatnonzero(~np.isfinite(values.ravel())).tolist()
    crossed = "".join(map(cells.crosses.__getitem__, forbidden))
    numbers = _signed_numbers(values, heat, cells) if cells.n <= _NUMBERS_UP_TO else ""
    return (
        f'{frame.opening}<g class="cells">{_heat(heat, cells, signed_class)}</g>'
        f'<path class="forbidden" d="{crossed}"/>{numbers}{frame.closing}'
    )


def _heat(
    heat: NDArray[np.intp], cells: _Cells, name: Callable[[int], str] = "heat-{}".format
) -> str:
    """One path a level; cells of level 0 are left to the ground beneath."""
    of_level = defaultdict(list)
    strokes = cells.strokes
    hot = heat.nonzero()[0]
    for place, level in zip(hot.tolist(), heat[hot].tolist(), strict=True):
        of_level[level].append(strokes[place])
    return "".join(
        [
            f'<path class="{name(level)}" d="{"".join(of_level[level])}"/>'
            for level in sorted(of_level)
        ]
    )


def _maxima(weights: NDArray[np.floating], cells: _Cells) -> str:
    """Outlines the largest cell of each row, on a halo that parts the line from any heat."""
    columns = weights.argmax(axis=1).tolist()
    places = map(add, cells.rows, columns)
    outlines = "".join(map(cells.outlines.__getitem__, places))
    return f'<path class="halo" d="{outlines}"/><path class="maximum" d="{outlines}"/>'


def _numbers(weights: NDArray[np.floating], heat: NDArray[np.intp], cells: _Cells) -> str:
    texts = [short(weight) for weight in weights.ravel().tolist()]
    return _texts(texts, [ink(level) for level in heat.tolist()], cells)


def _signed_numbers(values: NDArray[np.floating], heat: NDArray[np.intp], cells: _Cells) -> str:
    texts = [signed_short(value) for value in values.ravel().tolist()]
    return _texts(texts, [signed_ink(level) for level in heat.tolist()], cells)


def _texts(texts: Sequence[str], inks: Sequence[str], cells: _Cells) -> str:
    return "".join(
        f'<text class="number {on}" {place}>{escape(text)}</text>'
        for text, on, place in zip(texts, inks, cells.middles, strict=True)
    )
