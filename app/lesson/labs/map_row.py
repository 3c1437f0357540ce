"""Maps of several heads in one row, with what decides the answer outlined."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.lesson.labs.head_figure import HeadFigure, marked_areas
from app.picture import HeatmapLayout, heatmap
from app.picture.map_row import LAB_WIDTH, MAX_CELL, narrow_rows, row_layouts

MAX_MAPS_IN_ROW = 8
"""More heads than this stand in several rows."""

T = TypeVar("T")


@dataclass(frozen=True)
class MapInRow:
    """The map of one head in a row of maps, drawn on access.

    hidden_rows: the rows that the map leaves out. is_decisive: the head itself decides the answer.
    starts_narrow_row, narrow_width: on phones, whether a row starts with this map, and the width
        of such rows in em.
    """

    figure: HeadFigure
    layout: HeatmapLayout
    hidden_rows: Collection[int] = ()
    starts_narrow_row: bool = False
    narrow_width: int = 0

    @property
    def is_decisive(self) -> bool:
        return self.figure.state.is_marked(self.figure.head)

    @property
    def picture(self) -> str:
        figure = self.figure
        marked = marked_areas(figure.state, figure.head)
        name = figure.name_without(self.hidden_rows)
        return heatmap(figure.weights, self.layout, marked, self.hidden_rows, name=name)

    @property
    def row_labels(self) -> str:
        """The labels of rows for phones, if the map starts a row there but not on wide pages."""
        return (
            self.layout.row_labels
            if self.starts_narrow_row and not self.layout.shows_queries
            else ""
        )

    @property
    def is_readable(self) -> bool:
        return not self.hidden_rows


def map_rows(figures: Sequence[HeadFigure]) -> list[tuple[MapInRow, ...]]:
    """Return the maps of heads in rows of up to `MAX_MAPS_IN_ROW`, all of one size."""
    rows: list[tuple[MapInRow, ...]] = []
    max_cell = MAX_CELL
    for row in split_evenly(figures, MAX_MAPS_IN_ROW):
        rows.append(map_row(row, max_cell=max_cell))
        max_cell = rows[0][0].layout.cells.cell_size
    return rows


def split_evenly(items: Sequence[T], largest: int) -> list[Sequence[T]]:
    """Return as few parts of at most `largest` items as possible, of about equal length."""
    n_parts = -(-len(items) // largest)
    size = -(-len(items) // n_parts)
    return [items[first : first + size] for first in range(0, len(items), size)]


def map_row(
    figures: Sequence[HeadFigure], *, width: int = LAB_WIDTH, max_cell: int = MAX_CELL
) -> tuple[MapInRow, ...]:
    """Return the maps of heads in a row that is at most `width` pixels wide.

    Cells are at most `max_cell` pixels large. The first map has labels of its rows.
    """
    axes = [each.state.axis for each in figures]
    return maps_in_row(figures, row_layouts(axes, width=width, max_cell=max_cell))


def maps_in_row(
    figures: Sequence[HeadFigure],
    layouts: Sequence[HeatmapLayout],
    *,
    hides_maps: bool = False,
) -> tuple[MapInRow, ...]:
    """Return the maps with their layouts; phones fold them into several rows."""
    n_maps, width = narrow_rows(layouts)
    return tuple(
        MapInRow(
            figure,
            layout,
            range(len(figure.weights)) if hides_maps else (),
            index % n_maps == 0,
            width,
        )
        for index, (figure, layout) in enumerate(zip(figures, layouts, strict=True))
    )
