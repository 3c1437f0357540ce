"""Lab: one head from products to weights, its rows and its columns."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from app.attention.weights import Matrix
from app.lesson.json_fields import NOT_IN_JSON
from app.lesson.labs.head_figure import HeadFigure, draw, layer_figures, marked_areas
from app.lesson.labs.hidden_rows import rows_of_other_words
from app.lesson.labs.lab_state import LabState
from app.lesson.labs.map_row import MapInRow, map_row
from app.lesson.labs.row_figure import RowFigure, row_figure
from app.picture import HeatmapLayout, format_number, heatmap, signed_map
from app.picture.map_row import row_layouts

MAP_WIDTH = 290
"""Width in pixels of the map beside the row figure."""

SMALL_MAP_SIDE = 96
"""Largest side in pixels of the small maps of the other heads."""

MAX_SMALL_CELL = 13

STAGE_NAMES = {
    "products": "products of queries and keys",
    "scaled": "scaled scores",
    "masked": "scores after the mask",
}
"""What screen readers call the map of a stage."""

LIT_PARTS = ("scores", "weights")
"""The parts of the row figure that the step is about."""


@dataclass(frozen=True)
class Stage:
    """The numbers of one head before the softmax.

    `largest` is the absolute value with the strongest colour, the largest of the rows shown.
    """

    name: str
    formula: str
    largest: float
    values: Matrix = field(metadata=NOT_IN_JSON, repr=False, compare=False)  # (n, n)


@dataclass(frozen=True)
class KeyTotal:
    """The sum of one column: how much all queries together read one key."""

    key: str
    total: float
    is_largest: bool


@dataclass(frozen=True)
class PipelineResult:
    """The stages of the chosen head, its weights as a figure, and the sums of its columns.

    Before the answer is revealed the map has only the rows of the chosen word, and there are no
    sums of columns.
    """

    stages: tuple[Stage, ...]
    figure: HeadFigure
    columns: tuple[KeyTotal, ...]
    divisor: float
    row: RowFigure = field(metadata=NOT_IN_JSON, repr=False)
    other_heads: tuple[HeadFigure, ...] = field(metadata=NOT_IN_JSON, repr=False)
    hidden_rows: tuple[int, ...] = field(metadata=NOT_IN_JSON)

    @property
    def state(self) -> LabState:
        return self.figure.state

    @property
    def stage(self) -> Stage | None:
        """The stage that the map shows, None for the weights."""
        return next((each for each in self.stages if each.name == self.state.controls.stage), None)

    @cached_property
    def layout(self) -> HeatmapLayout:
        """The layout of the map: beside the row figure if its labels fit there."""
        axis = self.state.axis
        (beside,) = row_layouts([axis], width=MAP_WIDTH)
        if not beside.has_labels:
            return self.state.heatmap_layout
        totals = [f"{each.total:.2f}" for each in self.columns] or ["?"] * len(self.state.tokens)
        return HeatmapLayout(
            axis,
            cell_size=beside.cells.cell_size,
            totals=totals if beside.has_numbers and self.stage is None else (),
        )

    @property
    def is_beside_row(self) -> bool:
        return self.layout is not self.state.heatmap_layout

    @property
    def has_totals_in_map(self) -> bool:
        """Whether the sums of columns stand under the columns."""
        return self.is_beside_row and self.layout.has_numbers

    @property
    def map(self) -> str:
        """The picture of the chosen stage."""
        stage = self.stage
        if stage:
            return signed_map(
                stage.values, self.layout, stage.largest, self.hidden_rows, name=self._name(stage)
            )
        if self.state.controls.layout == "lines" and not self.hidden_rows:
            return draw(self.state, self.figure.weights)
        return heatmap(
            self.figure.weights,
            self.layout,
            marked_areas(self.state, self.figure.head),
            self.hidden_rows,
            name=self.figure.name_without(self.hidden_rows),
        )

    def _name(self, stage: Stage) -> str:
        row = self.state.query_rows[0]
        key = int(stage.values[row].argmax())
        query, score = self.state.tokens[row].text, format_number(float(stage.values[row, key]))
        return (
            f"Head {self.figure.head}, {STAGE_NAMES[stage.name]}:"
            f" {query} fits {self.state.tokens[key].text} best, {score}"
        )

    @cached_property
    def other_maps(self) -> tuple[MapInRow, ...]:
        """Small maps of the other heads."""
        if not self.other_heads:
            return ()
        max_cell = max(2, min(MAX_SMALL_CELL, SMALL_MAP_SIDE // len(self.state.tokens)))
        return map_row(self.other_heads, max_cell=max_cell)


def pipeline(state: LabState) -> PipelineResult:
    trace = state.trace
    figures = layer_figures(state)
    hidden = () if state.is_revealed else tuple(rows_of_other_words(state)[state.head])
    stages = []
    for name, formula, values in (
        ("products", "QKᵀ", trace.scores),
        ("scaled", "QKᵀ / √d_k", trace.scaled),
        ("masked", "+ mask", trace.masked),
    ):
        head_values = state.visible_part(values[state.head])
        shown = np.delete(head_values, hidden, axis=0)
        largest = float(np.abs(shown[np.isfinite(shown)]).max())
        stages.append(Stage(name, formula, largest, head_values))
    return PipelineResult(
        tuple(stages),
        figures[state.head],
        column_totals(state) if state.is_revealed else (),
        float(np.sqrt(trace.W.d_head)),
        row_figure(state, LIT_PARTS),
        tuple(each for each in figures if each.head != state.head),
        hidden,
    )


def column_totals(state: LabState) -> tuple[KeyTotal, ...]:
    """Return the sum of each column of the chosen head's map."""
    totals = state.maps[state.head].astype(np.float64).sum(axis=0)
    largest_column = int(totals.argmax())
    return tuple(
        KeyTotal(token.text, float(total), index == largest_column)
        for index, (token, total) in enumerate(zip(state.tokens, totals, strict=True))
    )
