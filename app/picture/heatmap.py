"""Attention maps as SVG: rows are queries, columns are keys.

All cells of one level are one path of strokes, so the SVG of 48 tokens stays small. Colours come
from CSS classes, so themes and print need no other SVG.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from html import escape

import numpy as np
from numpy.typing import NDArray

from app.picture.colour_scale import (
    heat_class,
    quantise,
    quantise_signed,
    signed_heat_class,
    signed_text_class,
    text_class,
)
from app.picture.number_format import format_cell, format_signed_cell

# Lengths are in the SVG's user units, which are CSS pixels at full size.
_LABEL_FONT_SIZE = 13.5
_LETTER_WIDTH = 7.4

_NUMBERS_MAX_N = 7
_GAPS_MAX_N = 14
_UPRIGHT_LABELS_MAX_N = 6
_MAX_LABEL_LENGTH = 12
_MIN_NUMBERED_CELL = 26
_MIN_SLANTED_CELL = 18
_SLANT_DEGREES = 50
_PIXELS_PER_EM = 16

MIN_LABELLED_CELL = 14
"""Maps of a given cell size have labels if their cells are at least this large, in pixels."""
_MAX_THUMBNAIL_CELLS = 24
_LABEL_CACHE_SIZE = 256


@dataclass(frozen=True)
class Axis:
    """The tokens along both sides of a map.

    `word_of` has the word index of each token: tokens of one word are joined by a bracket.
    `queries` are the consecutive rows to frame.
    """

    labels: Sequence[str]
    word_of: Sequence[int]
    queries: Sequence[int]

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
class _Cells:
    """Geometry of the cells of an (n, n) map with its corner at (0, 0); lists are row by row."""

    n: int
    size_class: str
    cell_size: int
    gap: int

    @property
    def side(self) -> int:
        return self.n * self.cell_size

    @cached_property
    def strokes(self) -> list[str]:
        """Path of each cell: a horizontal stroke, whose stroke-width is the cell's height."""
        length, middle, inset = self.cell_size - self.gap, self.cell_size // 2, self.gap // 2
        return [
            f"M{column * self.cell_size + inset} {row * self.cell_size + middle}h{length}"
            for row, column in np.ndindex(self.n, self.n)
        ]

    @cached_property
    def outlines(self) -> list[str]:
        """Path around each cell."""
        side, inset = self.cell_size - self.gap - 1, self.gap // 2 + 0.5
        return [
            f"M{column * self.cell_size + inset:g} {row * self.cell_size + inset:g}"
            f"h{side}v{side}h-{side}z"
            for row, column in np.ndindex(self.n, self.n)
        ]

    @cached_property
    def crosses(self) -> list[str]:
        """Path across each cell, from corner to corner."""
        length, inset = self.cell_size - self.gap - 2, self.gap // 2 + 1
        return [
            f"M{column * self.cell_size + inset} {row * self.cell_size + inset}l{length} {length}"
            for row, column in np.ndindex(self.n, self.n)
        ]

    @cached_property
    def number_positions(self) -> list[str]:
        """Attributes x and y of the number in each cell."""
        half = self.cell_size // 2
        return [
            f'x="{column * self.cell_size + half}" y="{row * self.cell_size + half + 4}"'
            for row, column in np.ndindex(self.n, self.n)
        ]


@cache
def _cells(n: int) -> _Cells:
    """Return cells large enough for numbers, smaller ones with gaps, or the smallest without."""
    if n <= _NUMBERS_MAX_N:
        return _Cells(n, "small", 40, 2)
    if n <= _GAPS_MAX_N:
        return _Cells(n, "medium", 20, 1)
    return _Cells(n, "large", 16, 0)


@cache
def _cells_of_size(n: int, cell_size: int) -> _Cells:
    """Return cells of a given size; their stroke-width is an attribute, not in the stylesheet."""
    gap = 2 if cell_size >= 20 else 1 if cell_size >= 8 else 0
    size_class = "fit" if cell_size >= MIN_LABELLED_CELL else "fit map-thumb"
    return _Cells(n, size_class, cell_size, gap)


@cache
def _thumbnail_cells(n: int) -> _Cells:
    """Return cells for a map that readers recognise but do not read cell by cell."""
    if n <= _NUMBERS_MAX_N:
        return _Cells(n, "thumb thumb-14", 14, 2)
    if n <= _GAPS_MAX_N:
        return _Cells(n, "thumb thumb-8", 8, 1)
    return _Cells(n, "thumb thumb-4", 4, 0)


class HeatmapLayout:
    """Everything of a map except its cells: the same for all heads on the same tokens.

    `cell_size` is the size of cells in pixels, None for one that suits the number of tokens. Maps
    of a given size have labels if they fit; `shows_queries` is false for maps that stand to the
    right of another one with the same rows. Their width is in em: 16 pixels are 1 em, so that a
    stylesheet can scale a row of maps to its container. `scrolls` is true if the map may be wider
    than a narrow page.
    """

    def __init__(
        self, axis: Axis, *, cell_size: int | None = None, shows_queries: bool = True
    ) -> None:
        n = len(axis.labels)
        is_fitted = cell_size is not None
        self.cells = _cells(n) if cell_size is None else _cells_of_size(n, cell_size)
        self.has_labels = not is_fitted or self.cells.cell_size >= MIN_LABELLED_CELL
        self.has_numbers = (
            self.cells.cell_size >= _MIN_NUMBERED_CELL if is_fitted else n <= _NUMBERS_MAX_N
        )
        self.scrolls = self.cells.size_class == "large"
        longest = longest_label(axis)
        self.left = longest + 18
        if is_fitted:
            self.left = query_label_width(axis) if self.has_labels and shows_queries else 2
        turn = self._turn(n, longest, is_fitted=is_fitted)
        self.top = {0: 34, 90: longest + 18, _SLANT_DEGREES: round(longest * 0.77) + 24}[turn]
        if not self.has_labels:
            self.top = 2
        self.width, self.height = self.left + self.cells.side + 2, self.top + self.cells.side + 2
        self.opening = self._svg_tag(in_em=is_fitted)
        if self.has_labels:
            labels = [_label_content(text) for text in axis.labels]
            positions = _label_positions(self.cells, self.left, self.top, turn)
            query_labels = self._query_labels(axis, labels, positions.queries)
            if not shows_queries:
                query_labels = f'<g visibility="hidden">{query_labels}</g>'
            self.opening += self._key_labels(axis, labels, positions.keys) + query_labels
        self.opening += self._background()
        self.closing = f"{self._query_frame(axis.queries)}</g></svg>"

    def _turn(self, n: int, longest: int, *, is_fitted: bool) -> int:
        """Return the degrees by which the labels of keys are turned."""
        if not is_fitted:
            return 0 if n <= _UPRIGHT_LABELS_MAX_N and self.left <= 60 else 90
        if longest <= self.cells.cell_size + 2:
            return 0
        return _SLANT_DEGREES if self.cells.cell_size >= _MIN_SLANTED_CELL else 90

    def _svg_tag(self, *, in_em: bool) -> str:
        width, height = f"{self.width}", f"{self.height}"
        if in_em:
            width, height = (f"{each / _PIXELS_PER_EM:g}em" for each in (self.width, self.height))
        return (
            f'<svg class="map map-{self.cells.size_class}" viewBox="0 0 {self.width} {self.height}"'
            f' width="{width}" height="{height}" aria-hidden="true">'
        )

    @property
    def cells_tag(self) -> str:
        """The tag of the group of all cells."""
        if not self.cells.size_class.startswith("fit"):
            return '<g class="cells">'
        return f'<g class="cells" stroke-width="{self.cells.cell_size - self.cells.gap}">'

    def _background(self) -> str:
        return (
            f'<g transform="translate({self.left} {self.top})">'
            f'<rect class="ground" width="{self.cells.side}" height="{self.cells.side}"/>'
        )

    def _key_labels(self, axis: Axis, labels: Sequence[str], positions: Sequence[str]) -> str:
        cell_size = self.cells.cell_size
        parts = [
            f'<text class="key" {position}>{label}</text>'
            for label, position in zip(labels, positions, strict=True)
        ]
        for first, last in axis.split_words:
            begin, end = self.left + first * cell_size + 3, self.left + (last + 1) * cell_size - 3
            parts.append(f'<path class="word-bracket" d="M{begin} {self.top - 4}H{end}"/>')
        return "".join(parts)

    def _query_labels(self, axis: Axis, labels: Sequence[str], positions: Sequence[str]) -> str:
        cell_size = self.cells.cell_size
        parts = [
            f'<text class="{"query chosen" if index in axis.queries else "query"}" {position}>'
            f"{label}</text>"
            for index, (label, position) in enumerate(zip(labels, positions, strict=True))
        ]
        for first, last in axis.split_words:
            begin, end = self.top + first * cell_size + 3, self.top + (last + 1) * cell_size - 3
            parts.append(f'<path class="word-bracket" d="M{self.left - 4} {begin}V{end}"/>')
        return "".join(parts)

    def _query_frame(self, queries: Sequence[int]) -> str:
        first, last, cell_size = min(queries), max(queries), self.cells.cell_size
        return (
            f'<rect class="query-frame" x="-1" y="{first * cell_size - 1}"'
            f' width="{self.cells.side + 2}" height="{(last - first + 1) * cell_size + 2}" rx="4"/>'
        )


def longest_label(axis: Axis) -> int:
    """Return the width of the longest label in pixels."""
    return round(min(max(map(len, axis.labels)), _MAX_LABEL_LENGTH) * _LETTER_WIDTH)


def query_label_width(axis: Axis) -> int:
    """Return the room that the labels of rows take in a map of a given cell size, in pixels."""
    return longest_label(axis) + 15


def truncate_label(label: str) -> str:
    """Return a label cut to `_MAX_LABEL_LENGTH` characters, the last one an ellipsis."""
    return label if len(label) <= _MAX_LABEL_LENGTH else label[: _MAX_LABEL_LENGTH - 1] + "…"


def _label_content(text: str) -> str:
    """Return the escaped content of a label; a cut label has the whole text as its tooltip."""
    label = escape(truncate_label(text))
    return label if len(text) <= _MAX_LABEL_LENGTH else f"<title>{escape(text)}</title>{label}"


@dataclass(frozen=True)
class _LabelPositions:
    """Position attributes of the labels of keys (columns) and queries (rows)."""

    keys: list[str]
    queries: list[str]


@lru_cache(_LABEL_CACHE_SIZE)
def _label_positions(cells: _Cells, left: int, top: int, turn: int) -> _LabelPositions:
    keys, queries = [], []
    for index in range(cells.n):
        middle = (index + 0.5) * cells.cell_size
        x, y = left + middle, top + middle + _LABEL_FONT_SIZE / 3
        if not turn:
            keys.append(f'x="{x:g}" y="{top - 11}" text-anchor="middle"')
        else:
            keys.append(
                f'transform="translate({x + _LABEL_FONT_SIZE / 3:g} {top - 11}) rotate(-{turn})"'
            )
        queries.append(f'x="{left - 10}" y="{y:g}"')
    return _LabelPositions(keys, queries)


def heatmap(
    weights: NDArray[np.floating],
    heatmap_layout: HeatmapLayout,
    marked: Sequence[Area] = (),
    hidden_rows: Collection[int] = (),
) -> str:
    """Return the SVG of one head's attention matrix, `weights` (n, n).

    The largest cell of each row is outlined, and so are the areas in `marked`. Cells of
    `hidden_rows` are dashed outlines without colour and number. If cells are large enough they
    contain their weights. The SVG is hidden from screen readers: the caller describes it in text.
    """
    cells = heatmap_layout.cells
    levels = quantise(weights)
    levels[list(hidden_rows)] = 0
    levels = levels.ravel()
    visible = [row for row in range(cells.n) if row not in hidden_rows]
    numbers = ""
    if heatmap_layout.has_numbers:
        row_numbers = _row_numbers(weights, levels, cells)
        numbers = "".join([row_numbers[row] for row in visible])
    return (
        f"{heatmap_layout.opening}{heatmap_layout.cells_tag}{_level_paths(levels, cells)}</g>"
        f"{_row_maxima(weights, cells, visible)}{numbers}"
        f"{_hidden_cells(hidden_rows, cells)}{_marked_areas(marked, cells)}"
        f"{heatmap_layout.closing}"
    )


def thumbnail(weights: NDArray[np.floating]) -> str:
    """Return the SVG of one head's attention matrix (n, n) without labels and numbers."""
    cells = _thumbnail_cells(len(weights))
    return _thumbnail_svg(cells, _level_paths(quantise(weights).ravel(), cells))


def downsampled_thumbnail(weights: NDArray[np.floating]) -> str:
    """Return the thumbnail of the `block_maxima` of an attention matrix (n, n).

    Hundreds of such maps fit on a page, and no large weight disappears in them.
    """
    return thumbnail(block_maxima(weights))


def thumbnail_side(n: int) -> int:
    """Return the width and height of the thumbnail of an (n, n) matrix."""
    return _thumbnail_cells(n).side


def block_maxima(weights: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the maximum of each square block of weights (n, n).

    Blocks are as small as `_MAX_THUMBNAIL_CELLS` rows and columns allow; (n, n) itself if it fits.
    """
    n = len(weights)
    size = -(-n // _MAX_THUMBNAIL_CELLS)
    if size == 1:
        return weights
    padding = -n % size
    padded = np.pad(weights, (0, padding)).reshape((n + padding) // size, size, -1, size)
    largest: NDArray[np.floating] = padded.max(axis=(1, 3))
    return largest


def signed_thumbnail(values: NDArray[np.floating], largest: float) -> str:
    """Return the SVG of values (n, n) of either sign without labels: see `signed_map`."""
    cells = _thumbnail_cells(len(values))
    return _thumbnail_svg(
        cells, _level_paths(quantise_signed(values, largest).ravel(), cells, signed_heat_class)
    )


def _thumbnail_svg(cells: _Cells, paths: str) -> str:
    side = cells.side
    return (
        f'<svg class="map map-{cells.size_class}" viewBox="0 0 {side} {side}" width="{side}"'
        f' height="{side}" aria-hidden="true"><rect class="ground" width="{side}"'
        f' height="{side}"/><g class="cells">{paths}</g></svg>'
    )


def signed_map(
    values: NDArray[np.floating],
    heatmap_layout: HeatmapLayout,
    largest: float,
    hidden_rows: Collection[int] = (),
) -> str:
    """Return the SVG of values (n, n) of either sign, such as scores or differences of weights.

    Colours run from -`largest` over the map's background at 0 to `largest`; cells of -inf are
    crossed out.
    """
    cells = heatmap_layout.cells
    levels = quantise_signed(values, largest)
    levels[list(hidden_rows)] = 0
    levels = levels.ravel()
    visible = [row for row in range(cells.n) if row not in hidden_rows]
    masked = [
        index
        for index in np.flatnonzero(~np.isfinite(values.ravel())).tolist()
        if index // cells.n not in hidden_rows
    ]
    crossed = "".join(map(cells.crosses.__getitem__, masked))
    numbers = ""
    if heatmap_layout.has_numbers:
        row_numbers = _row_numbers(values, levels, cells, format_signed_cell, signed_text_class)
        numbers = "".join([row_numbers[row] for row in visible])
    return (
        f"{heatmap_layout.opening}"
        f"{heatmap_layout.cells_tag}{_level_paths(levels, cells, signed_heat_class)}</g>"
        f'<path class="forbidden" d="{crossed}"/>{numbers}{_hidden_cells(hidden_rows, cells)}'
        f"{heatmap_layout.closing}"
    )


def _level_paths(
    levels: NDArray[np.intp], cells: _Cells, css_class: Callable[[int], str] = heat_class
) -> str:
    """Return one path for each level; cells of level 0 show the map's background."""
    strokes_by_level = defaultdict(list)
    strokes = cells.strokes
    nonzero = levels.nonzero()[0]
    for index, level in zip(nonzero.tolist(), levels[nonzero].tolist(), strict=True):
        strokes_by_level[level].append(strokes[index])
    return "".join(
        [
            f'<path class="{css_class(level)}" d="{"".join(strokes_by_level[level])}"/>'
            for level in sorted(strokes_by_level)
        ]
    )


def _row_maxima(weights: NDArray[np.floating], cells: _Cells, rows: Sequence[int]) -> str:
    """Return outlines of the largest cell of each of `rows`, over a halo that separates them from
    cells of any colour.
    """
    columns = weights.argmax(axis=1).tolist()
    outlines = "".join([cells.outlines[row * cells.n + columns[row]] for row in rows])
    return f'<path class="halo" d="{outlines}"/><path class="maximum" d="{outlines}"/>'


def _hidden_cells(rows: Collection[int], cells: _Cells) -> str:
    """Return dashed outlines of the cells of `rows`."""
    if not rows:
        return ""
    outlines = "".join(
        cells.outlines[row * cells.n + column] for row in rows for column in range(cells.n)
    )
    return f'<path class="hidden-cells" d="{outlines}"/>'


def _marked_areas(areas: Sequence[Area], cells: _Cells) -> str:
    """Return outlines around the areas, over a halo."""
    if not areas:
        return ""
    size = cells.cell_size
    outlines = "".join(
        f"M{area.columns[0] * size} {area.rows[0] * size}"
        f"h{len(area.columns) * size}v{len(area.rows) * size}h-{len(area.columns) * size}z"
        for area in areas
    )
    return f'<path class="halo wide" d="{outlines}"/><path class="marked" d="{outlines}"/>'


def _row_numbers(
    values: NDArray[np.floating],
    levels: NDArray[np.intp],
    cells: _Cells,
    format_value: Callable[[float], str] = format_cell,
    css_class: Callable[[int], str] = text_class,
) -> list[str]:
    """Return for each row the numbers in its cells, in the text colours that their levels need."""
    numbers = [
        f'<text class="number {css_class(level)}" {position}>{escape(format_value(value))}</text>'
        for value, level, position in zip(
            values.ravel().tolist(), levels.tolist(), cells.number_positions, strict=True
        )
    ]
    return ["".join(numbers[row * cells.n : (row + 1) * cells.n]) for row in range(cells.n)]
