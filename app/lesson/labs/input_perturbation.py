"""Lab: perturb the first inputs of one token.

Projected, all heads' maps change; if the input were sliced, only those of the first heads would.
"""

from dataclasses import dataclass, field

import numpy as np

from app.attention import Trace
from app.attention.variants import (
    PERTURBATION,
    perturb_tokens,
    perturbed_inputs,
    sliced_input_attention,
)
from app.attention.weights import Matrix
from app.lesson.json_fields import json_name
from app.lesson.labs.head_figure import draw
from app.lesson.labs.lab_state import LabState
from app.picture import signed_map, signed_thumbnail

CHANGE_THRESHOLD = 1e-6
"""A map counts as changed if one of its weights changes by more than this."""


@dataclass(frozen=True)
class HeadChange:
    """The change of one head's map: its largest change of a weight, and the difference as a map."""

    head: int
    max_change: float = field(metadata=json_name("moved"))
    changed: bool
    difference: str


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
    """The maps of the chosen head before and after, and the changes of all heads.

    token: the text of the perturbed token; `amount` is added to its first `n_inputs` inputs.
    largest: the difference with the strongest colour.
    """

    token: str
    amount: float
    n_inputs: int
    before: str
    after: str
    difference: str
    variants: tuple[Variant, ...] = field(metadata=json_name("ways"))
    largest: float
    shapes: tuple[StageShape, ...]


def input_perturbation(state: LabState) -> InputPerturbationResult:
    trace = state.trace
    token = state.query_tokens[0]
    X = perturb_tokens(trace.X, state.query_tokens, trace.W.n_heads)

    def projected(inputs: Matrix) -> Matrix:
        return state.visible_and_renormalised(trace.with_input(inputs).weights)

    def sliced(inputs: Matrix) -> Matrix:
        return state.visible_and_renormalised(sliced_input_attention(trace, inputs))

    before, after = projected(trace.X), projected(X)
    differences = {"project": after - before, "slice": sliced(X) - sliced(trace.X)}
    largest = max(float(np.abs(each).max()) for each in differences.values()) or 1.0
    return InputPerturbationResult(
        state.sentence.tokens[token].text,
        PERTURBATION,
        len(perturbed_inputs(trace.W.d_model, trace.W.n_heads)),
        draw(state, before[state.head]),
        draw(state, after[state.head]),
        signed_map(differences["project"][state.head], state.heatmap_layout, largest),
        tuple(Variant(name, _head_changes(each, largest)) for name, each in differences.items()),
        largest,
        shapes(trace),
    )


def _head_changes(differences: Matrix, largest: float) -> tuple[HeadChange, ...]:
    max_changes = np.abs(differences).max(axis=(1, 2))
    return tuple(
        HeadChange(
            head,
            float(max_change),
            bool(max_change > CHANGE_THRESHOLD),
            signed_thumbnail(differences[head], largest),
        )
        for head, max_change in enumerate(max_changes)
    )


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
