"""Lab: the four stages of one head, from products to weights."""

from dataclasses import dataclass

import numpy as np

from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabState
from app.picture import signed_map


@dataclass(frozen=True)
class Stage:
    """A map before the softmax. `largest` is the absolute value with the strongest colour."""

    name: str
    formula: str
    map: str
    largest: float


@dataclass(frozen=True)
class KeyTotal:
    """The sum of one column: how much all queries together read one key."""

    key: str
    total: float
    is_largest: bool


@dataclass(frozen=True)
class PipelineResult:
    """The stages of the chosen head, its weights as a figure, and the sums of its columns."""

    stages: tuple[Stage, ...]
    figure: HeadFigure
    columns: tuple[KeyTotal, ...]
    divisor: float


def pipeline(state: LabState) -> PipelineResult:
    trace = state.trace
    stages = []
    for name, formula, values in (
        ("products", "QKᵀ", trace.scores),
        ("scaled", "QKᵀ / √d_k", trace.scaled),
        ("masked", "+ mask", trace.masked),
    ):
        head_values = state.visible_part(values[state.head])
        largest = float(np.abs(head_values[np.isfinite(head_values)]).max())
        stages.append(
            Stage(name, formula, signed_map(head_values, state.heatmap_layout, largest), largest)
        )
    totals = state.maps[state.head].astype(np.float64).sum(axis=0)
    largest_column = int(totals.argmax())
    columns = tuple(
        KeyTotal(token.text, float(total), index == largest_column)
        for index, (token, total) in enumerate(zip(state.tokens, totals, strict=True))
    )
    return PipelineResult(
        tuple(stages),
        head_figures(state, state.maps)[state.head],
        columns,
        float(np.sqrt(trace.W.d_head)),
    )
