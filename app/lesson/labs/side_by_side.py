"""Lab: one head beside several on the same sentence, and the heads of a larger model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, groupby
from operator import itemgetter

from app.lesson.json_fields import NOT_IN_JSON
from app.lesson.labs.head_figure import HeadFigure, head_figures, layer_figures
from app.lesson.labs.hidden_rows import NO_ROWS, HiddenRows, every_row
from app.lesson.labs.lab_state import LabState
from app.lesson.labs.map_row import MAX_MAPS_IN_ROW, MapInRow, maps_in_row, split_evenly
from app.lesson.options import ModelName, Options
from app.models import Card
from app.picture.map_row import MAX_CELL, row_layouts


class SideBySideOptions(Options):
    """`beside` is the model on the left, `many` the one whose heads the question is about."""

    beside: ModelName
    many: ModelName


@dataclass(frozen=True)
class Panel:
    """All heads of one model. `hides_maps`: only outlines of its maps are shown."""

    model: Card
    heads: tuple[HeadFigure, ...]
    hides_maps: bool = field(default=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True)
class MapGroup:
    """Maps of one model that stand side by side."""

    panel: Panel
    maps: tuple[MapInRow, ...]


@dataclass(frozen=True)
class SideBySideResult:
    """The models side by side, and the model that the question is about.

    `too_long_for` is the left one if the sentence is too long for it. `many` is None before the
    answer is revealed, and if the model is one of those side by side.
    """

    panels: tuple[Panel, ...]
    too_long_for: Card | None
    many: Panel | None = field(metadata=NOT_IN_JSON)

    @cached_property
    def rows(self) -> list[list[MapGroup]]:
        """The maps of the models side by side, in rows."""
        return map_rows(self.panels)

    @cached_property
    def rows_of_many(self) -> list[list[MapGroup]]:
        return map_rows([self.many]) if self.many else []

    @property
    def has_labels(self) -> bool:
        """Whether the maps of the last model are large enough for labels."""
        return self.rows[-1][-1].maps[-1].layout.has_labels

    @property
    def hides_maps(self) -> bool:
        """Whether the maps of the chosen model are left out: they answer the question."""
        return self.panels[-1].hides_maps


def map_rows(panels: Sequence[Panel]) -> list[list[MapGroup]]:
    """Return the maps of the models in rows of up to `MAX_MAPS_IN_ROW`, all of one size."""
    heads = [(panel, figure) for panel in panels for figure in panel.heads]
    rows, max_cell = [], MAX_CELL
    for row in split_evenly(heads, MAX_MAPS_IN_ROW):
        groups = [
            (panel, [figure for _, figure in group])
            for panel, group in groupby(row, key=itemgetter(0))
        ]
        rows.append(_row(groups, max_cell))
        max_cell = rows[0][0].maps[0].layout.cells.cell_size
    return rows


def _row(groups: Sequence[tuple[Panel, Sequence[HeadFigure]]], max_cell: int) -> list[MapGroup]:
    """Return one row; the first map of each model has labels of its rows."""
    axes = [figure.state.axis for _, figures in groups for figure in figures]
    starts = [0, *accumulate(len(figures) for _, figures in groups)]
    layouts = row_layouts(axes, labelled=starts[:-1], max_cell=max_cell)
    return [
        MapGroup(
            panel,
            maps_in_row(
                figures, layouts[start : start + len(figures)], hides_maps=panel.hides_maps
            ),
        )
        for (panel, figures), start in zip(groups, starts, strict=False)
    ]


def rows_of_asked_heads(state: LabState) -> HiddenRows:
    """Return every row if the question is about the heads of the chosen model."""
    many = SideBySideOptions.model_validate(state.options).many
    is_asked = state.models.model_for_prediction(many, state.model) is state.model
    return every_row(state) if is_asked else NO_ROWS


def side_by_side(state: LabState) -> SideBySideResult:
    """Return the model of the option `beside`, then the chosen one; one panel if they are the same.

    If the chosen model is untrained, the left one is the untrained model of the nearest size.
    """
    options = SideBySideOptions.model_validate(state.options)
    left_model = state.models[options.beside]
    if state.model.card.kind == "random":
        left_model = state.models.nearest_of_kind(left_model, "random") or left_model
    left_state = state.for_model(left_model)
    states = [each for each in (left_state, None if left_state is state else state) if each]
    many_model = state.models.model_for_prediction(options.many, state.model)
    panels = tuple(
        Panel(
            each.model.card,
            layer_figures(each) if each is state else head_figures(each, each.maps, chosen=False),
            hides_maps=each.model is many_model and not state.is_revealed,
        )
        for each in states
    )
    many = None
    if state.is_revealed and many_model not in [each.model for each in states]:
        many_state = state.for_model(many_model)
        if many_state:
            figures = head_figures(many_state, many_state.maps, chosen=False)
            many = Panel(many_model.card, figures)
    return SideBySideResult(panels, None if left_state else left_model.card, many)
