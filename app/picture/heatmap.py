"""Heads' maps as SVG: rows are queries, columns are keys.

Cells of one heat are one path, drawn as strokes, so that a map of 48 tokens stays small; all
colours come from classes, so that themes and print need no new picture.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from html import escape

import numpy as np
from numpy.typing import NDArray

from app.picture.colour import (
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
        longest = max(len(shortened(label)) for label in axis.labels)
        self.left = round(longest * _LETTER) + 18
        self.straight = n <= _STRAIGHT_LABELS_UP_TO and self.left <= 60
        self.top = 34 if self.straight else self.left
        self.scrolls = self.cells.size == "large"
        self.opening = self._opening() + self._key_labels(axis) + self._query_labels(axis)
        self.query_frame = self._query_frame(axis.queries)

    def _opening(self) -> str:
        width, height = self.left + self.cells.side + 2, self.top + self.cells.side + 2
        return (
            f'<svg class="map map-{self.cells.size}" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}" aria-hidden="true">'
        )

    def _key_labels(self, axis: Axis) -> str:
        cell, y = self.cells.cell, self.top - 11
        parts = []
        for index, text in enumerate(axis.labels):
            x = self.left + (index + 0.5) * cell
            if self.straight:
                place = f'x="{x:g}" y="{y}" text-anchor="middle"'
            else:
                place = f'transform="translate({x + _LABEL / 3:g} {y}) rotate(-90)"'
            parts.append(_label(text, "key", place))
        for first, last in axis.split_words:
            begin, end = self.left + first * cell + 3, self.left + (last + 1) * cell - 3
            parts.append(f'<path class="word-bracket" d="M{begin} {self.top - 4}H{end}"/>')
        return "".join(parts)

    def _query_labels(self, axis: Axis) -> str:
        cell, x = self.cells.cell, self.left - 10
        parts = []
        for index, text in enumerate(axis.labels):
            y = self.top + (index + 0.5) * cell + _LABEL / 3
            kind = "query chosen" if index in axis.queries else "query"
            parts.append(_label(text, kind, f'x="{x}" y="{y:g}"'))
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


def _label(text: str, kind: str, place: str) -> str:
    inside = escape(shortened(text))
    if len(text) > _LONGEST_LABEL:
        inside = f"<title>{escape(text)}</title>{inside}"
    return f'<text class="{kind}" {place}>{inside}</text>'


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
        f'{frame.opening}<g transform="translate({frame.left} {frame.top})">'
        f'<rect class="ground" width="{cells.side}" height="{cells.side}"/>'
        f'<g class="cells">{_heat(heat, cells)}</g>{_maxima(weights, cells)}{numbers}'
        f"{frame.query_frame}</g></svg>"
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
        f'{frame.opening}<g transform="translate({frame.left} {frame.top})">'
        f'<rect class="ground" width="{cells.side}" height="{cells.side}"/>'
        f'<g class="cells">{_heat(heat, cells, signed_class)}</g>'
        f'<path class="forbidden" d="{crossed}"/>'
        f"{numbers}{frame.query_frame}</g></svg>"
    )


def _heat(
    heat: NDArray[np.intp], cells: _Cells, name: Callable[[int], str] = "heat-{}".format
) -> str:
    """One path a level; cells of level 0 are left to the ground beneath."""
    strokes: dict[int, list[str]] = {}
    hot = heat.nonzero()[0]
    for place, level in zip(hot.tolist(), heat[hot].tolist(), strict=True):
        strokes.setdefault(level, []).append(cells.strokes[place])
    return "".join(
        f'<path class="{name(level)}" d="{"".join(strokes[level])}"/>' for level in sorted(strokes)
    )


def _maxima(weights: NDArray[np.floating], cells: _Cells) -> str:
    """Outlines the largest cell of each row, on a halo that parts the line from any heat."""
    places = weights.argmax(axis=1) + np.arange(cells.n) * cells.n
    outlines = "".join(map(cells.outlines.__getitem__, places.tolist()))
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
