"""Explain a cell: the arithmetic behind one attention weight."""

from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from app.lesson.json_fields import json_name
from app.lesson.labs.lab_state import LabState
from app.picture.charts import signed_column_chart


@dataclass(frozen=True)
class Element:
    """One element of the query and of the key vector, and their product."""

    query: float
    key: float
    product: float


@dataclass(frozen=True)
class Explanation:
    """How the weight of one cell of the chosen head is computed.

    score: q·k; `scaled` is score / divisor.
    masked: whether the mask sets the score to −∞ and so the weight to 0.
    exponential: exp(scaled − row_largest); `row_sum` is the sum of the row's exponentials.
    weight: exponential / row_sum.
    length: the norm of the key's value times its slice of W_O; `weighted` is the number on the map.
        Both are None unless maps are weighted by norms.
    renormalised: the number on the map if special tokens are hidden, else None.
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
    """Return the explanation of the chosen cell, None if there is none."""
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
