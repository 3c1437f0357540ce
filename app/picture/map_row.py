"""Layouts of maps that stand in one row and fill the width of the lab."""

from collections.abc import Collection, Sequence

from app.picture.map_layout import (
    MIN_LABELLED_CELL,
    Axis,
    HeatmapLayout,
    longest_label,
    query_label_width,
)

LAB_WIDTH = 720
"""Width of a lab in pixels in the narrowest window that has prose and lab side by side."""

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
    layouts: dict[tuple[int, bool], HeatmapLayout] = {}  # most maps have the same axis
    for index, axis in enumerate(axes):
        key = (id(axis), index in labelled)
        if key not in layouts:
            layouts[key] = HeatmapLayout(axis, cell_size=cell, shows_queries=index in labelled)
    return [layouts[id(axis), index in labelled] for index, axis in enumerate(axes)]


def _overhang(axis: Axis) -> int:
    """Return by how much slanted labels of the last map may extend to its right, in pixels."""
    return round(0.5 * longest_label(axis))
