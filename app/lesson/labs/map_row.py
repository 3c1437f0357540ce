"""Maps of several heads in one row, with what decides the answer outlined."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.lesson.labs.head_figure import HeadFigure, marked_areas
from app.picture import HeatmapLayout, heatmap
from app.picture.map_row import LAB_WIDTH, MAX_CELL, row_layouts


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


def map_row(
    figures: Sequence[HeadFigure], *, width: int = LAB_WIDTH, max_cell: int = MAX_CELL
) -> tuple[MapInRow, ...]:
    """Return the maps of heads in a row that is at most `width` pixels wide.

    Cells are at most `max_cell` pixels large. The first map has labels of its rows.
    """
    axes = [each.state.axis for each in figures]
    layouts = row_layouts(axes, width=width, max_cell=max_cell)
    return tuple(MapInRow(figure, layout) for figure, layout in zip(figures, layouts, strict=True))
