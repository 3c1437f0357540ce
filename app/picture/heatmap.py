"""One head's map as SVG: rows are queries, columns are keys.

Cells of one heat are one path, drawn as strokes, so that a map of 48 tokens stays small; all
colours come from classes, so that themes and print need no new picture.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from app.picture.colour import ink, levels, short

_LABEL = 13.5
_LETTER = 7.4
"""Font size and the width of a letter, like all lengths here, in the picture's own units."""

_NUMBERS_UP_TO = 8
_GAPS_UP_TO = 14
_STRAIGHT_LABELS_UP_TO = 6
_LONGEST_LABEL = 12


@dataclass(frozen=True)
class Axis:
    """The tokens along both sides; `word_of` joins the pieces of a split word by a bracket."""

    labels: Sequence[str]
    word_of: Sequence[int]

    @property
    def split_words(self) -> list[tuple[int, int]]:
        """First and last token of each word that has several."""
        firsts = [i for i, word in enumerate(self.word_of) if i == 0 or self.word_of[i - 1] != word]
        lasts = [after - 1 for after in firsts[1:]] + [len(self.word_of) - 1]
        return [(first, last) for first, last in zip(firsts, lasts, strict=True) if last > first]


@dataclass(frozen=True)
class _Frame:
    """Where the cells begin, and how large they are."""

    left: int
    top: int
    n: int
    cell: int
    gap: int

    @property
    def side(self) -> int:
        """Length of all cells of a row."""
        return self.n * self.cell


def heatmap(weights: NDArray[np.floating], axis: Axis, *, queries: Sequence[int]) -> str:
    """SVG of one head's (n, n) weights, hidden from screen readers: say in words beside it what
    it shows.

    The rows in `queries` are framed, every row's largest cell is outlined, and the weights are
    written into the cells while there are few enough tokens.
    """
    frame = _frame(axis)
    width, height = frame.left + frame.side + 2, frame.top + frame.side + 2
    parts = [
        f'<svg class="map map-{_size(frame.n)}" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" aria-hidden="true">',
        _key_labels(frame, axis),
        _query_labels(frame, axis, set(queries)),
        _cells(frame, levels(weights)),
        _maxima(frame, weights),
        _numbers(frame, weights) if frame.n <= _NUMBERS_UP_TO else "",
        _query_frame(frame, queries),
        "</svg>",
    ]
    return "".join(parts)


def _size(n: int) -> str:
    """How much room a map wants: with numbers, with gaps between cells, or neither."""
    if n <= _NUMBERS_UP_TO:
        return "small"
    return "medium" if n <= _GAPS_UP_TO else "large"


def _frame(axis: Axis) -> _Frame:
    n = len(axis.labels)
    longest = max(len(shortened(label)) for label in axis.labels)
    width = round(longest * _LETTER) + 18
    straight = n <= _STRAIGHT_LABELS_UP_TO and width <= 60
    cell, gap = {"small": (44, 2), "medium": (22, 1), "large": (16, 0)}[_size(n)]
    return _Frame(width, 34 if straight else width, n, cell, gap)


def shortened(label: str) -> str:
    """A label short enough for an axis; the whole one is in its tooltip."""
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"


def _label(text: str, kind: str, place: str) -> str:
    if len(text) > _LONGEST_LABEL:
        inside = f"<title>{escape(text)}</title>{escape(shortened(text))}"
    else:
        inside = escape(text)
    return f'<text class="{kind}" {place}>{inside}</text>'


def _key_labels(frame: _Frame, axis: Axis) -> str:
    straight = frame.top < frame.left
    y = frame.top - 11
    parts = []
    for index, text in enumerate(axis.labels):
        x = frame.left + (index + 0.5) * frame.cell
        if straight:
            place = f'x="{x:g}" y="{y:g}" text-anchor="middle"'
        else:
            place = f'transform="translate({x + _LABEL / 3:g} {y:g}) rotate(-90)"'
        parts.append(_label(text, "key", place))
    for first, last in axis.split_words:
        begin = frame.left + first * frame.cell + 3
        end = frame.left + (last + 1) * frame.cell - 3
        parts.append(f'<path class="word-bracket" d="M{begin:g} {frame.top - 4:g}H{end:g}"/>')
    return "".join(parts)


def _query_labels(frame: _Frame, axis: Axis, queries: set[int]) -> str:
    parts = []
    for index, text in enumerate(axis.labels):
        y = frame.top + (index + 0.5) * frame.cell + _LABEL / 3
        kind = "query chosen" if index in queries else "query"
        parts.append(_label(text, kind, f'x="{frame.left - 10:g}" y="{y:g}" text-anchor="end"'))
    for first, last in axis.split_words:
        begin = frame.top + first * frame.cell + 3
        end = frame.top + (last + 1) * frame.cell - 3
        parts.append(f'<path class="word-bracket" d="M{frame.left - 4:g} {begin:g}V{end:g}"/>')
    return "".join(parts)


def _cells(frame: _Frame, heat: NDArray[np.intp]) -> str:
    """One path a level, each cell a stroke as wide as a cell is high.

    Cells of level 0 are left to the ground beneath; without gaps, equal neighbours are one stroke.
    """
    strokes: dict[int, list[str]] = {}
    for row, row_heat in enumerate(heat.tolist()):
        y = frame.top + row * frame.cell + frame.cell // 2
        for level, column, length in _runs(row_heat, merged=frame.gap == 0):
            x = frame.left + column * frame.cell + frame.gap // 2
            stroke = f"M{x} {y}h{length * frame.cell - frame.gap}"
            strokes.setdefault(level, []).append(stroke)
    ground = (
        f'<rect class="ground" x="{frame.left}" y="{frame.top}"'
        f' width="{frame.side}" height="{frame.side}"/>'
    )
    paths = "".join(
        f'<path class="heat-{level}" d="{"".join(strokes[level])}"/>'
        for level in sorted(strokes)
        if level
    )
    return f'{ground}<g class="cells cells-{frame.cell}">{paths}</g>'


def _runs(row: list[int], *, merged: bool) -> Iterator[tuple[int, int, int]]:
    """(level, first column, length) of each cell, or of each stretch of equal cells."""
    if not merged:
        yield from ((level, column, 1) for column, level in enumerate(row))
        return
    column = 0
    for level, stretch in groupby(row):
        length = len(list(stretch))
        yield level, column, length
        column += length


def _maxima(frame: _Frame, weights: NDArray[np.floating]) -> str:
    """Outlines the largest cell of each row."""
    side = frame.cell - frame.gap - 1
    inset = frame.gap // 2 + 0.5
    outlines = "".join(
        f"M{frame.left + column * frame.cell + inset:g}"
        f" {frame.top + row * frame.cell + inset:g}h{side}v{side}h-{side}z"
        for row, column in enumerate(weights.argmax(axis=1).tolist())
    )
    return f'<path class="maximum" d="{outlines}"/>'


def _numbers(frame: _Frame, weights: NDArray[np.floating]) -> str:
    heat = levels(weights)
    parts = []
    for row, column in np.ndindex(weights.shape):
        x = frame.left + (column + 0.5) * frame.cell
        y = frame.top + (row + 0.5) * frame.cell + 4
        parts.append(
            f'<text class="number {ink(int(heat[row, column]))}" x="{x:g}" y="{y:g}">'
            f"{short(float(weights[row, column]))}</text>"
        )
    return "".join(parts)


def _query_frame(frame: _Frame, queries: Sequence[int]) -> str:
    first, last = min(queries), max(queries)
    return (
        f'<rect class="query-frame" x="{frame.left - 1}"'
        f' y="{frame.top + first * frame.cell - 1}" width="{frame.side + 2}"'
        f' height="{(last - first + 1) * frame.cell + 2}" rx="4"/>'
    )
