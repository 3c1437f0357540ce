"""One row of the chosen head, from the query to what the layer adds to the word."""

from collections.abc import Collection
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from app.attention.variants import input_slices, sliced_input_queries_and_keys
from app.attention.weights import Matrix
from app.lesson.json_fields import NOT_IN_JSON
from app.lesson.labs.lab_state import LabState
from app.picture.row_flow import row_flow
from app.picture.row_table import projections_html, row_table
from app.picture.row_values import GroupQuery, Keys, OtherKeys, RowValues, SlicedQuery

MAX_LINES = 10
"""The most keys with a line of their own."""


@dataclass(frozen=True)
class KeyLine:
    """One key of the row. `scaled` is the score as softmax receives it, None if it is masked."""

    key: str
    token: int
    score: float
    scaled: float | None
    weight: float


@dataclass(frozen=True)
class RowFigure:
    """The row of the asking word's first token in the chosen head, as computed by the model.

    It has all tokens that the head reads, special ones included, and attention weights, not
    norm-weighted ones: `differs_from_map` is true if the map shows something else. Maps and
    sentences about words sum and average the pieces of split words, the figure does not.

    query: the text of the token; `word` is the asking word.
    divisor: √d_head, or None if scores are not divided.
    lines: the keys with the largest weights, in the order of the sentence.
    n_other_keys, other_weight: the number of the other keys, and their weights together.
    top: the line with the largest weight.
    output: the head's output, zeros if it is ablated; `added` is what the layer adds to the token.
    heads_with_same_keys: the heads with the same keys and values, this one included.
    """

    head: int
    word: str
    query: str
    query_token: int
    divisor: float | None
    lines: tuple[KeyLine, ...]
    n_other_keys: int
    other_weight: float
    top: KeyLine
    is_ablated: bool
    differs_from_map: bool
    heads_with_same_keys: tuple[int, ...]
    query_vector: tuple[float, ...]
    output: tuple[float, ...]
    added: tuple[float, ...]
    values: RowValues = field(metadata=NOT_IN_JSON, repr=False)
    lit: frozenset[str] = field(metadata=NOT_IN_JSON, repr=False)

    @property
    def text(self) -> str:
        """A sentence with the key that the row reads most."""
        return self.values.summary

    @property
    def html(self) -> str:
        """The figure for a page."""
        return row_table(self.values, lit=self.lit)

    @property
    def projections(self) -> str:
        """The part "projections" for a page, alone."""
        return projections_html(self.values)

    @property
    def svg(self) -> str:
        """The figure as one SVG."""
        return row_flow(self.values, lit=self.lit)


def row_figure(
    state: LabState, lit: Collection[str] = (), *, with_slice: bool = False
) -> RowFigure:
    """Return the row of the asking word; the figure emphasises the parts `lit`, some of `PARTS`.

    `with_slice` adds the query of a head that reads only a slice of the input to the part
    "projections".
    """
    trace, head, token = state.trace, state.head, state.query_tokens[0]
    tokens = state.sentence.tokens
    weights = trace.weights[head, token]  # (n,)
    shown, others = _lines(weights)
    top = int(weights.argmax())
    scores, masked = trace.scores[head, token], trace.masked[head, token]
    divisor = None if state.controls.unscaled else sqrt(trace.W.d_head)
    is_ablated = (state.layer, head) in state.controls.off
    first_head = head // state.group_size * state.group_size
    group = tuple(range(first_head, first_head + state.group_size))

    def line(key: int) -> KeyLine:
        return KeyLine(
            tokens[key].text,
            key,
            float(scores[key]),
            float(masked[key]) if np.isfinite(masked[key]) else None,
            float(weights[key]),
        )

    values = RowValues(
        label=tokens[token].text,
        head=head,
        n_heads=trace.W.n_heads,
        divisor=divisor,
        input=trace.X[token],
        query=trace.Q[head, token],
        keys=Keys(
            labels=[tokens[key].text for key in shown],
            is_query=[key == token for key in shown],
            key=trace.K[head, shown],
            value=trace.V[head, shown],
            scores=scores[shown],
            masked=masked[shown],
            weights=weights[shown],
        ),
        other_keys=OtherKeys(
            len(others), float(weights[others].sum()), weights[others] @ trace.V[head, others]
        )
        if others
        else None,
        output=trace.head_outputs[head, token],
        is_ablated=is_ablated,
        joined=trace.concat[token],
        added=trace.output[token],
        group=[_group_query(state, each, token) for each in group],
        own_key=trace.K[head, token],
        own_value=trace.V[head, token],
        piece_of="" if len(state.query_tokens) == 1 else state.query_word,
        sliced=_sliced_query(state, token) if with_slice else None,
    )
    return RowFigure(
        head=head,
        word=state.query_word,
        query=values.label,
        query_token=token,
        divisor=divisor,
        lines=tuple(map(line, shown)),
        n_other_keys=len(others),
        other_weight=float(weights[others].sum()),
        top=line(top),
        is_ablated=is_ablated,
        differs_from_map=state.controls.weighted or len(state.tokens) < len(tokens),
        heads_with_same_keys=group,
        query_vector=tuple(values.query.tolist()),
        output=tuple(values.output.tolist()),
        added=tuple(values.added.tolist()),
        values=values,
        lit=frozenset(lit),
    )


def _lines(weights: Matrix) -> tuple[list[int], list[int]]:
    """Return the keys with a line of their own and the others, both in the order of the sentence.

    One other key would need a line anyway, so there are none or at least two.
    """
    n = len(weights)
    if n <= MAX_LINES:
        return list(range(n)), []
    by_weight = np.argsort(-weights, kind="stable")
    return sorted(by_weight[: MAX_LINES - 1].tolist()), sorted(by_weight[MAX_LINES - 1 :].tolist())


def _group_query(state: LabState, head: int, token: int) -> GroupQuery:
    weights = state.trace.weights[head, token]
    top = int(weights.argmax())
    label = state.sentence.tokens[top].text
    return GroupQuery(head, state.trace.Q[head, token], label, float(weights[top]))


def _sliced_query(state: LabState, token: int) -> SlicedQuery:
    query, _ = sliced_input_queries_and_keys(state.trace, state.trace.X)
    W = state.trace.W
    inputs = input_slices(W.d_model, W.n_heads)[state.head]
    return SlicedQuery(inputs.start, inputs.stop - 1, query[state.head, token])
