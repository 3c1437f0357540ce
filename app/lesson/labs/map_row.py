"""Maps of several heads in one row, with what decides the answer outlined."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.lesson.labs.head_figure import HeadFigure, marked_areas
from app.picture import HeatmapLayout, heatmap
from app.picture.map_row import LAB_WIDTH, row_layouts


@dataclass(frozen=True)
class MapInRow:
    """The map of one head in a row of maps, drawn on access.

    is_decisive: the head itself decides the answer. is_readable: no row is left out.
    """

    figure: HeadFigure
    layout: HeatmapLayout
    hidden_rows: Collection[int]
    is_decisive: bool

    @property
    def picture(self) -> str:
        figure = self.figure
        marked = marked_areas(figure.state, figure.head)
        return heatmap(figure.weights, self.layout, marked, self.hidden_rows)

    @property
    def is_readable(self) -> bool:
        return not self.hidden_rows


def map_row(
    figures: Sequence[HeadFigure],
    *,
    labelled: Collection[int] = (0,),
    hides_query_rows: bool = False,
    width: int = LAB_WIDTH,
) -> tuple[MapInRow, ...]:
    """Return the maps of heads in a row that is at most `width` pixels wide.

    `labelled` are the places in the row whose map has labels of its rows. `hides_query_rows`: the
    rows of the chosen word are left out.
    """
    layouts = row_layouts([each.state.axis for each in figures], labelled=labelled, width=width)
    return tuple(
        MapInRow(
            figure,
            layout,
            figure.state.query_rows if hides_query_rows else (),
            figure.state.is_marked(figure.head),
        )
        for figure, layout in zip(figures, layouts, strict=True)
    )
