"""Lab: perturb a few inputs of the chosen word.

Projected, all heads' maps change; if the input were sliced, only the map of one head would.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from app.attention import Trace
from app.attention.variants import (
    CHANGE_THRESHOLD,
    PERTURBATION,
    perturb_tokens,
    perturbed_head,
    perturbed_inputs,
    sliced_input_attention,
)
from app.attention.weights import Matrix
from app.lesson.json_fields import NOT_IN_JSON, json_name
from app.lesson.labs.head_figure import HeadFigure, TopWord, draw, head_figures, layer_figures
from app.lesson.labs.lab_state import LabState
from app.lesson.labs.map_row import MapInRow, map_rows
from app.lesson.labs.row_figure import RowFigure, row_figure
from app.picture import HeatmapLayout, signed_map

LIT_PARTS = ("projections",)
"""The part of the row figure that the step is about."""


@dataclass(frozen=True)
class HeadChange:
    """The change of one head's map, after minus before, and its largest change of a weight.

    before, after: the figures of the head. is_decisive: this change decides the answer.
    """

    head: int
    max_change: float = field(metadata=json_name("moved"))
    changed: bool
    before: HeadFigure = field(metadata=NOT_IN_JSON, repr=False, compare=False)
    after: HeadFigure = field(metadata=NOT_IN_JSON, repr=False, compare=False)
    layout: HeatmapLayout = field(metadata=NOT_IN_JSON, repr=False, compare=False)
    largest: float = field(metadata=NOT_IN_JSON, repr=False)
    is_decisive: bool = field(metadata=NOT_IN_JSON)

    @property
    def picture(self) -> str:
        """The difference as a map, drawn on access."""
        difference = self.after.weights - self.before.weights
        name = self.after.name_of_difference(difference, f"Head {self.head}, after minus before")
        return signed_map(difference, self.layout, self.largest, name=name)

    @property
    def top_word(self) -> TopWord:
        """The word read most after the change."""
        return self.after.top_word

    @property
    def changes_top_word(self) -> bool:
        before, after = self.before.row, self.after.row
        return int(before.argmax()) != int(after.argmax())


@dataclass(frozen=True)
class Variant:
    """A way to give heads their input, projected or sliced, and the changes of all maps."""

    name: str
    changes: tuple[HeadChange, ...]

    @property
    def n_changed(self) -> int:
        return sum(change.changed for change in self.changes)


@dataclass(frozen=True)
class StageShape:
    """The shape of the arrays at one stage of the layer."""

    stage: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class InputPerturbationResult:
    """The heads before, and the changes of their maps, which are left out until revealed.

    token: the text of the first perturbed token; `amount` is added to `n_inputs` inputs from
        `first_input` on, those of a slice that head `sliced_head` would get.
    largest: the difference with the strongest colour.
    """

    token: str
    amount: float
    first_input: int
    n_inputs: int
    sliced_head: int
    heads: tuple[HeadFigure, ...]
    variants: tuple[Variant, ...] = field(metadata=json_name("ways"))
    largest: float
    shapes: tuple[StageShape, ...]
    rows: Sequence[Sequence[MapInRow]] = field(metadata=NOT_IN_JSON, repr=False, compare=False)
    row: RowFigure = field(metadata=NOT_IN_JSON, repr=False)

    @property
    def last_input(self) -> int:
        return self.first_input + self.n_inputs - 1

    @property
    def projected(self) -> tuple[HeadChange, ...]:
        """The change of every head, none before the answer is revealed."""
        return self.variants[0].changes if self.variants else ()

    @property
    def sliced(self) -> HeadChange | None:
        """The change of the only head that would notice if heads were given slices."""
        return self.variants[1].changes[self.sliced_head] if self.variants else None

    @property
    def lines(self) -> str:
        """The chosen head before, as lines."""
        figure = next(each for each in self.heads if each.chosen)
        return draw(figure.state, figure.weights)


def input_perturbation(state: LabState) -> InputPerturbationResult:
    trace = state.trace
    before = layer_figures(state)
    rows = map_rows(before)
    inputs = perturbed_inputs(trace.W.d_model, trace.W.n_heads)
    variants, largest = _variants(state, rows) if state.is_revealed else ((), 1.0)
    return InputPerturbationResult(
        state.sentence.tokens[state.query_tokens[0]].text,
        PERTURBATION,
        inputs.start,
        len(inputs),
        perturbed_head(trace.W.n_heads),
        before,
        variants,
        largest,
        shapes(trace),
        rows,
        row_figure(state, LIT_PARTS, with_slice=True),
    )


def _variants(
    state: LabState, rows: Sequence[Sequence[MapInRow]]
) -> tuple[tuple[Variant, ...], float]:
    """Return what changes with projected and with sliced inputs, and the largest change."""
    trace = state.trace
    X = perturb_tokens(trace.X, state.query_tokens, trace.W.n_heads)

    def maps_of(weights: Matrix) -> Matrix:
        return state.visible_and_renormalised(weights)

    pairs = {
        "project": (maps_of(trace.weights), maps_of(trace.with_input(X).weights)),
        "slice": (
            maps_of(sliced_input_attention(trace, trace.X)),
            maps_of(sliced_input_attention(trace, X)),
        ),
    }
    largest = max(float(np.abs(after - before).max()) for before, after in pairs.values()) or 1.0
    layouts = [each.layout for row in rows for each in row]
    labelled = HeatmapLayout(state.axis, cell_size=layouts[0].cells.cell_size)
    sliced_head = perturbed_head(trace.W.n_heads)
    variants = []
    for name, (before, after) in pairs.items():
        max_changes = np.abs(after - before).max(axis=(1, 2))
        figures = zip(head_figures(state, before), head_figures(state, after), strict=True)
        changes = [
            HeadChange(
                head,
                float(max_changes[head]),
                bool(max_changes[head] > CHANGE_THRESHOLD),
                figure_before,
                figure_after,
                layouts[head] if name == "project" else labelled,
                largest,
                state.is_marked(head) if name == "project" else head == sliced_head,
            )
            for head, (figure_before, figure_after) in enumerate(figures)
        ]
        variants.append(Variant(name, tuple(changes)))
    return tuple(variants), largest


def shapes(trace: Trace) -> tuple[StageShape, ...]:
    """Return the shapes of this sentence's arrays at each stage."""
    n, d_model = trace.X.shape
    n_heads, d_head = trace.W.n_heads, trace.W.d_head
    joined = n_heads * d_head
    return (
        StageShape("input", (n, d_model)),
        StageShape("one matrix for all heads", (d_model, joined)),
        StageShape("projected", (n, joined)),
        StageShape("reshaped", (n, n_heads, d_head)),
        StageShape("transposed", (n_heads, n, d_head)),
        StageShape("maps", (n_heads, n, n)),
    )
