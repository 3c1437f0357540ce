"""Layouts of maps that stand in one row and fill the width of the lab."""

from collections.abc import Collection, Sequence
from math import ceil

from app.picture.map_layout import (
    MIN_LABELLED_CELL,
    Axis,
    HeatmapLayout,
    longest_label,
    query_label_width,
)

LAB_WIDTH = 720
"""Width of a lab in pixels in the narrowest window that has prose and lab side by side."""

NARROW_WIDTH = 345
"""The most width of a row of maps on a phone, in the SVG's units: text has 12 px at 350 px."""

MAP_GAP = 12
MAX_CELL, _MIN_CELL = 40, 2


def row_layouts(
    axes: Sequence[Axis],
    *,
    labelled: Collection[int] = (0,),
    width: int = LAB_WIDTH,
    max_cell: int = MAX_CELL,
) -> list[HeatmapLayout]:
    """Return the layout of each map of a row, all with cells of the same size.

    labelled: indices of the maps whose rows have labels; the others have the same rows as the map
    to their left. Cells are as large as possible, up to `max_cell` pixels, so that the row is at
    most `width` pixels wide.
    """
    n_cells = sum(len(axis.labels) for axis in axes)
    frames = MAP_GAP * (len(axes) - 1) + 4 * len(axes)
    label_widths = sum(query_label_width(axes[index]) for index in labelled)
    cell = min(max_cell, (width - frames - label_widths - _overhang(axes[-1])) // n_cells)
    if cell < MIN_LABELLED_CELL:
        cell = min(max_cell, MIN_LABELLED_CELL - 1, max(_MIN_CELL, (width - frames) // n_cells))
    layouts: dict[tuple[int, bool, bool], HeatmapLayout] = {}  # most maps have the same axis
    last = len(axes) - 1
    keys = [(id(axis), index in labelled, index == last) for index, axis in enumerate(axes)]
    for key, axis in zip(keys, axes, strict=True):
        if key not in layouts:
            _, is_labelled, ends_row = key
            layouts[key] = HeatmapLayout(
                axis, cell_size=cell, shows_queries=is_labelled, ends_row=ends_row
            )
    return [layouts[key] for key in keys]


def narrow_rows(layouts: Sequence[HeatmapLayout]) -> tuple[int, int]:
    """Return how many maps stand in a row on a phone, and the width of that row in em."""
    axis, cells = layouts[0].axis, layouts[0].cells
    sides = overhang = 0
    if layouts[0].has_labels:
        sides, overhang = query_label_width(axis), _overhang(axis) // 2
    n_maps, width = len(layouts), 0
    for n_rows in range(1, len(layouts) + 1):
        n_maps = -(-len(layouts) // n_rows)
        width = sides + n_maps * (cells.side + 4) + (n_maps - 1) * MAP_GAP + overhang
        if width <= NARROW_WIDTH:
            break
    return n_maps, min(max(ceil(width / 16), 6), 48)


def _overhang(axis: Axis) -> int:
    """Return by how much slanted labels of the last map may extend to its right, in pixels."""
    return round(0.5 * longest_label(axis))
