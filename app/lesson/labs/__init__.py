"""The labs by the names that a step's `.toml` file uses.

A lab takes a `LabState` and returns the values for its template, `templates/labs/NAME.html`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.lesson.labs.compare import compare
from app.lesson.labs.explain import explain
from app.lesson.labs.grouped_query import GroupedQueryOptions, grouped_query
from app.lesson.labs.head_count import head_count
from app.lesson.labs.head_metrics import HeadMetricsOptions, head_metrics
from app.lesson.labs.hidden_rows import NO_ROWS, HiddenRows, no_rows, rows_of_other_words
from app.lesson.labs.input_perturbation import input_perturbation
from app.lesson.labs.lab_state import COMMON_CONTROLS, CONTROLS, Controls, LabState
from app.lesson.labs.output_projection import output_projection
from app.lesson.labs.pipeline import pipeline
from app.lesson.labs.second_view import two_views
from app.lesson.labs.side_by_side import (
    SideBySideOptions,
    rows_of_asked_heads,
    side_by_side,
)
from app.lesson.options import ModelName, NoOptions, Options

MAX_FULL_MAPS = 8
"""With more heads than this, not all maps are large unless the layout is chosen explicitly."""


@dataclass(frozen=True)
class Lab:
    """A lab: `run` computes its values.

    `extra_controls` are the controls that it has besides `COMMON_CONTROLS`, by their query names.
    `options_type` are the options that a step has to give. `layouts` are the possible layouts of
    heads, the default first. `answering_rows` returns the rows of maps that answer the question.
    `shows_row`: the lab shows the row figure.
    """

    run: Callable[[LabState], object]
    extra_controls: tuple[str, ...] = ()
    options_type: type[Options] = NoOptions
    layouts: tuple[str, ...] = ("map", "grid", "lines", "strip")
    answering_rows: Callable[[LabState], HiddenRows] = no_rows
    shows_row: bool = False

    def layout_for(self, state: LabState) -> str:
        """Return the chosen layout, or the default.

        Instead of a default grid, one map is shown if the maps are large or many.
        """
        is_large = state.heatmap_layout.scrolls or state.model.card.n_heads > MAX_FULL_MAPS
        default_layout = "map" if self.layouts[0] == "grid" and is_large else self.layouts[0]
        return state.controls.layout or default_layout

    def hidden_rows(self, state: LabState) -> HiddenRows:
        """Return the rows that maps of the chosen model leave out, by head."""
        return NO_ROWS if state.is_revealed else self.answering_rows(state)

    def hides_query_rows(self, state: LabState) -> bool:
        """Return whether the map of the chosen head leaves out rows of the chosen word."""
        return not set(state.query_rows).isdisjoint(self.hidden_rows(state).get(state.head, ()))

    @property
    def controls(self) -> tuple[str, ...]:
        return (*self.extra_controls, *COMMON_CONTROLS)

    @property
    def model_options(self) -> list[str]:
        """The names of the options that hold a model's id."""
        return [
            name
            for name, field in self.options_type.model_fields.items()
            if field.annotation is ModelName
        ]


LABS = {
    "side-by-side": Lab(
        side_by_side,
        options_type=SideBySideOptions,
        layouts=("grid", "map", "lines", "strip"),
        answering_rows=rows_of_asked_heads,
    ),
    "pipeline": Lab(
        pipeline,
        extra_controls=("causal", "stage"),
        layouts=("map", "lines"),
        answering_rows=rows_of_other_words,
        shows_row=True,
    ),
    "nudge": Lab(input_perturbation, layouts=("map", "lines")),
    "budget": Lab(head_count, extra_controls=("unscaled",), shows_row=True),
    "mix": Lab(output_projection, extra_controls=("off", "weighted"), shows_row=True),
    "measures": Lab(head_metrics, extra_controls=("shuffled",), options_type=HeadMetricsOptions),
    "sharing": Lab(
        grouped_query,
        extra_controls=("groups",),
        options_type=GroupedQueryOptions,
        shows_row=True,
    ),
}

__all__ = ["CONTROLS", "LABS", "Controls", "Lab", "LabState", "compare", "explain", "two_views"]
