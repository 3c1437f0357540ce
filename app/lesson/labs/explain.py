"""Explain this cell: the arithmetic behind one weight, with the numbers of this sentence."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from app.lesson.labs.lab_state import LabView
from app.picture.charts import signed_bars


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
    `length` is that of what the key writes and `weighted` what the map shows; `among_shown` is what
    it shows where special tokens are hidden.
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
    among_shown: float | None


def explain(view: LabView) -> Explanation | None:
    """None while no cell is chosen."""
    if view.controls.cell is None:
        return None
    row_of, column_of = view.controls.cell
    i, j = view.kept[row_of], view.kept[column_of]
    trace = view.trace
    query, key = (
        vectors[view.head, token].astype(np.float64)
        for vectors, token in ((trace.Q, i), (trace.K, j))
    )
    row = trace.masked[view.head, i].astype(np.float64)
    masked = bool(np.isinf(row[j]))
    scaled = float(trace.scaled[view.head, i, j])
    exponentials = np.exp(row - row.max())
    tokens = view.sentence.tokens
    return Explanation(
        view.head,
        tokens[i].text,
        tokens[j].text,
        row_of,
        column_of,
        tuple(Element(float(q), float(k), float(q * k)) for q, k in zip(query, key, strict=True)),
        signed_bars((query * key).tolist()),
        float(query @ key),
        1.0 if view.controls.unscaled else sqrt(trace.W.d_head),
        scaled,
        masked,
        float(row.max()),
        float(exponentials[j]),
        float(exponentials.sum()),
        float(trace.weights[view.head, i, j]),
        float(np.linalg.norm(trace.value_contributions[view.head, j]))
        if view.controls.weighted
        else None,
        float(trace.norm_weighted[view.head, i, j]) if view.controls.weighted else None,
        float(view.maps[view.head, row_of, column_of]) if view.controls.hide else None,
    )
