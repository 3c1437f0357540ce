"""Maps of several heads in one row, with what decides the answer outlined."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.lesson.labs.head_figure import HeadFigure, marked_areas
from app.picture import HeatmapLayout, heatmap
from app.picture.map_row import LAB_WIDTH, MAX_CELL, row_layouts

MAX_MAPS_IN_ROW = 8
"""More heads than this stand in several rows."""

T = TypeVar("T")


@dataclass(frozen=True)
class MapInRow:
    """The map of one head in a row of maps, drawn on access.

    hidden_rows: the rows that the map leaves out. is_decisive: the head itself decides the answer.
    """

    figure: HeadFigure
    layout: HeatmapLayout
    hidden_rows: Collection[int] = ()

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
    layouts = row_layouts(axes, width=width, max_cell=max_cell)
    return tuple(MapInRow(figure, layout) for figure, layout in zip(figures, layouts, strict=True))
