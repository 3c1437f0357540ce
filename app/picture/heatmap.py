"""Attention maps as SVG: rows are queries, columns are keys.

All cells of one level are one path of strokes, so the SVG of 48 tokens stays small. Colours come
from CSS classes, so themes and print need no other SVG. `map_layout` has the geometry.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from html import escape
from operator import add
from typing import NamedTuple

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
from app.picture.map_layout import LABEL_MIN_CELL, Area, Cells, HeatmapLayout, thumbnail_cells
from app.picture.number_format import format_cell, format_signed_cell

_SIGNED_NUMBER_MIN_CELL = 30
_FULL_NUMBER_MIN_CELL = 30
_NARROW_NUMBER_LENGTH = 4
_MAX_DASHED_CELLS_N = 9
_MAX_THUMBNAIL_CELLS = 24


class _NumberStyle(NamedTuple):
    """How the numbers in cells are written, and the CSS class of each by its level."""

    format_value: Callable[[float], str]
    css_class: Callable[[int], str]


_WEIGHTS = _NumberStyle(format_cell, text_class)
_SIGNED = _NumberStyle(format_signed_cell, signed_text_class)


def heatmap(
    weights: NDArray[np.floating],
    heatmap_layout: HeatmapLayout,
    marked: Sequence[Area] = (),
    hidden_rows: Collection[int] = (),
    *,
    name: str = "",
) -> str:
    """Return the SVG of one head's attention matrix, `weights` (n, n).

    The largest cell of each row is outlined, and so are the areas in `marked`: a marked cell has
    no other outline. Large cells contain their weights. Nothing is drawn of `hidden_rows` but
    dashed outlines. `name` says what the map shows; without it, the SVG is hidden from screen
    readers.
    """
    cells = heatmap_layout.cells
    levels = quantise(weights)
    levels[list(hidden_rows)] = 0
    levels = levels.ravel()
    numbers = ""
    if heatmap_layout.has_numbers:
        numbers = _cell_numbers(weights, levels, cells, hidden_rows, _WEIGHTS)
    queries = heatmap_layout.axis.queries
    is_asking_hidden = not set(queries).isdisjoint(hidden_rows)
    top_key = "" if is_asking_hidden else heatmap_layout.top_key(weights)
    maxima = _row_maxima(weights, cells, hidden_rows, marked)
    areas = _outlines_of(marked, cells)
    return (
        f"{heatmap_layout.open(name)}{cells.group}{_level_paths(levels, cells)}</g>"
        f"{_halos(maxima, areas, cells)}{_hidden_cells(hidden_rows, cells)}"
        f"{_frames('maximum', maxima, cells)}{_frames('marked', areas, cells)}{numbers}{top_key}"
        f"{heatmap_layout.closing}"
    )


def _hidden_cells(rows: Collection[int], cells: Cells) -> str:
    """Return dashed outlines of hidden rows: of each cell if there are few.

    Scripts read in `data-rows` which rows have no numbers.
    """
    if not rows:
        return ""
    size = cells.cell_size
    if cells.n <= _MAX_DASHED_CELLS_N:
        outlines = [cells.outlines[row * cells.n + key] for row in rows for key in range(cells.n)]
    else:
        inner = f"h{cells.side - 1}v{size - 1}h-{cells.side - 1}z"
        outlines = [f"M0.5 {row * size + 0.5:g}{inner}" for row in rows]
    names = " ".join(map(str, rows))
    return f'<path class="hidden-cells" data-rows="{names}" d="{"".join(outlines)}"/>'


def thumbnail(weights: NDArray[np.floating], name: str = "") -> str:
    """Return the SVG of one head's attention matrix (n, n) without labels and numbers.

    `name` is as in `heatmap`.
    """
    cells = thumbnail_cells(len(weights))
    return _thumbnail_svg(cells, _level_paths(quantise(weights).ravel(), cells), name)


def downsampled_thumbnail(weights: NDArray[np.floating], name: str = "") -> str:
    """Return the thumbnail of the `block_maxima` of an attention matrix (n, n).

    Hundreds of such maps fit on a page, and no large weight disappears in them.
    """
    return thumbnail(block_maxima(weights), name)


def thumbnail_side(n: int) -> int:
    """Return the width and height of the thumbnail of an (n, n) matrix."""
    return thumbnail_cells(n).side


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


def signed_thumbnail(values: NDArray[np.floating], largest: float, name: str = "") -> str:
    """Return the SVG of values (n, n) of either sign without labels: see `signed_map`."""
    cells = thumbnail_cells(len(values))
    levels = quantise_signed(values, largest).ravel()
    paths = _level_paths(levels, cells, signed_heat_class)
    return _thumbnail_svg(cells, paths, name, _minus_signs(levels, cells))


def _thumbnail_svg(cells: Cells, paths: str, name: str, signs: str = "") -> str:
    side = cells.side
    access = f'role="img" aria-label="{escape(name)}"' if name else 'aria-hidden="true"'
    return (
        f'<svg class="map map-thumb" viewBox="0 0 {side} {side}" width="{side}"'
        f' height="{side}" {access}><rect class="ground" width="{side}"'
        f' height="{side}"/>{cells.group}{paths}</g>{signs}</svg>'
    )


def signed_map(  # noqa: PLR0913
    values: NDArray[np.floating],
    heatmap_layout: HeatmapLayout,
    largest: float,
    hidden_rows: Collection[int] = (),
    *,
    marked: Sequence[Area] = (),
    name: str = "",
) -> str:
    """Return the SVG of values (n, n) of either sign, such as scores or differences of weights.

    Colours run from -`largest` over the map's background at 0 to `largest`; cells of -inf are
    crossed out. Cells below 0 have a minus sign, in front of their number or alone. `marked`,
    `hidden_rows` and `name` are as in `heatmap`, and so is the place of every cell.
    """
    cells = heatmap_layout.cells
    levels = quantise_signed(values, largest)
    levels[list(hidden_rows)] = 0
    levels = levels.ravel()
    is_masked = ~np.isfinite(values)
    is_masked[list(hidden_rows)] = False
    masked = np.flatnonzero(is_masked).tolist()
    crossed = "".join(map(cells.crosses.__getitem__, masked))
    if heatmap_layout.has_numbers and cells.cell_size >= _SIGNED_NUMBER_MIN_CELL:
        text = _cell_numbers(values, levels, cells, hidden_rows, _SIGNED)
    else:
        text = _minus_signs(levels, cells)
    areas = _outlines_of(marked, cells)
    return (
        f"{heatmap_layout.open(name)}"
        f"{cells.group}{_level_paths(levels, cells, signed_heat_class)}</g>"
        f'<path class="forbidden" d="{crossed}"/>{_hidden_cells(hidden_rows, cells)}'
        f"{_halos('', areas, cells)}{_frames('marked', areas, cells)}{text}{heatmap_layout.closing}"
    )


def _minus_signs(levels: NDArray[np.intp], cells: Cells) -> str:
    """Return a minus sign in each cell below 0, so that the sign does not depend on colour."""
    signs = defaultdict(list)
    for index in np.flatnonzero(levels < 0).tolist():
        signs[signed_text_class(int(levels[index]))].append(cells.minus_signs[index])
    width = 2 if cells.cell_size >= LABEL_MIN_CELL else 1
    return "".join(
        f'<path class="minus {css_class}" stroke-width="{width}" d="{"".join(paths)}"/>'
        for css_class, paths in sorted(signs.items())
    )


def _level_paths(
    levels: NDArray[np.intp], cells: Cells, css_class: Callable[[int], str] = heat_class
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


def _row_maxima(
    weights: NDArray[np.floating],
    cells: Cells,
    hidden: Collection[int],
    marked: Sequence[Area],
) -> str:
    """Return the path around the largest cell of each visible row that is not marked itself."""
    columns = weights.argmax(axis=1).tolist()
    indices = map(add, cells.row_starts, columns)
    without = {*hidden, *(area.rows[0] for area in marked if _is_cell(area, columns))}
    return "".join(
        [cells.outlines[index] for row, index in enumerate(indices) if row not in without]
    )


def _is_cell(area: Area, columns: Sequence[int]) -> bool:
    """Return whether an area is one cell, the one of its row in `columns`."""
    return len(area.rows) == len(area.columns) == 1 and columns[area.rows[0]] == area.columns[0]


def _outlines_of(areas: Sequence[Area], cells: Cells) -> str:
    """Return the path around each area: inside a single cell, just outside of larger areas."""
    size, parts = cells.cell_size, []
    for area in areas:
        if len(area.rows) == len(area.columns) == 1:
            parts.append(cells.outlines[area.rows[0] * cells.n + area.columns[0]])
            continue
        width, height = len(area.columns) * size + 2, len(area.rows) * size + 2
        x, y = area.columns[0] * size - 1, area.rows[0] * size - 1
        parts.append(f"M{x} {y}h{width}v{height}h-{width}z")
    return "".join(parts)


def _halos(maxima: str, areas: str, cells: Cells) -> str:
    """Return what separates all frames from cells of any colour; it is below every frame."""
    if cells.cell_size < LABEL_MIN_CELL:
        return f'<path class="halo thin" d="{areas}"/>' if areas else ""
    halos = (("halo", maxima), ("halo wide", areas))
    return "".join(f'<path class="{css_class}" d="{path}"/>' for css_class, path in halos if path)


def _frames(css_class: str, path: str, cells: Cells) -> str:
    """Return outlines, thinner around small cells."""
    if not path:
        return ""
    size = "thin " if cells.cell_size < LABEL_MIN_CELL else ""
    return f'<path class="{size}{css_class}" d="{path}"/>'


def _cell_numbers(
    values: NDArray[np.floating],
    levels: NDArray[np.intp],
    cells: Cells,
    hidden: Collection[int],
    style: _NumberStyle,
) -> str:
    """Return the number of each visible cell, in the text colour that its level needs.

    In cells that are narrow, long numbers are condensed.
    """
    numbers = zip(
        map(style.format_value, values.ravel().tolist()),
        levels.tolist(),
        cells.number_positions,
        strict=True,
    )
    condensed = ""
    if cells.cell_size < _FULL_NUMBER_MIN_CELL:
        condensed = f' textLength="{cells.cell_size - 6}" lengthAdjust="spacingAndGlyphs"'
    return "".join(
        [
            f'<text class="number {style.css_class(level)}" {position}'
            f"{condensed if len(text) >= _NARROW_NUMBER_LENGTH else ''}>{escape(text)}</text>"
            for index, (text, level, position) in enumerate(numbers)
            if index // cells.n not in hidden
        ]
    )
