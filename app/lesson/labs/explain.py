"""Explain this cell: the arithmetic behind one weight, with the numbers of this sentence."""

from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from app.lesson.json_fields import json_name
from app.lesson.labs.lab_state import LabState
from app.picture.charts import signed_column_chart


@dataclass(frozen=True)
class Element:
    """One place of the query and the key vectors, and its product."""

    query: float
    key: float
    product: float


@dataclass(frozen=True)
class Explanation:
    """The weight of one cell of the chosen head, from its vectors on.

    `score` is q·k, `scaled` the same over `divisor`; `exponential` is exp(scaled − the row's
    largest), `row_sum` the sum of these over the row, `weight` their ratio. A masked cell has
    no finite score after the mask and the weight 0. Where maps are weighted by what is written,
    `length` is that of what the key writes and `weighted` what the map shows; `renormalised` is
    what it shows where special tokens are hidden.
    """

    head: int
    query: str
    key: str
    query_token: int
    key_token: int
    elements: tuple[Element, ...]
    plot: str
    score: float
    divisor: float
    scaled: float
    masked: bool
    row_largest: float
    exponential: float
    row_sum: float
    weight: float
    length: float | None
    weighted: float | None
    renormalised: float | None = field(metadata=json_name("among_shown"))


def explain(state: LabState) -> Explanation | None:
    """None while no cell is chosen."""
    if state.controls.cell is None:
        return None
    query_row, key_column = state.controls.cell
    i, j = state.visible_indices[query_row], state.visible_indices[key_column]
    trace = state.trace
    query, key = (
        vectors[state.head, token].astype(np.float64)
        for vectors, token in ((trace.Q, i), (trace.K, j))
    )
    row = trace.masked[state.head, i].astype(np.float64)
    masked = bool(np.isinf(row[j]))
    scaled = float(trace.scaled[state.head, i, j])
    exponentials = np.exp(row - row.max())
    tokens = state.sentence.tokens
    return Explanation(
        state.head,
        tokens[i].text,
        tokens[j].text,
        query_row,
        key_column,
        tuple(Element(float(q), float(k), float(q * k)) for q, k in zip(query, key, strict=True)),
        signed_column_chart((query * key).tolist()),
        float(query @ key),
        1.0 if state.controls.unscaled else sqrt(trace.W.d_head),
        scaled,
        masked,
        float(row.max()),
        float(exponentials[j]),
        float(exponentials.sum()),
        float(trace.weights[state.head, i, j]),
        float(np.linalg.norm(trace.value_contributions[state.head, j]))
        if state.controls.weighted
        else None,
        float(trace.norm_weighted[state.head, i, j]) if state.controls.weighted else None,
        float(state.maps[state.head, query_row, key_column])
        if state.controls.hide_special_tokens
        else None,
    )
