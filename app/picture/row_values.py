"""One row of one head, from the query to what the layer adds to the word.

`row_table` shows these values on pages, `row_flow` draws them as one SVG for files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isinf

import numpy as np
from numpy.typing import NDArray

from app.picture.number_format import format_weight
from app.picture.vector_strip import largest_magnitude, strip_contents

Vectors = NDArray[np.floating]

PARTS = (
    "projections",
    "query",
    "keys",
    "scores",
    "weights",
    "values",
    "output",
    "joined",
    "added",
    "kv-sets",
)
"""The parts of the figure, in the order of the computation. "projections" and "kv-sets" are drawn
only while they are lit."""


@dataclass(frozen=True, eq=False)
class Keys:
    """The keys of the row, one line each, in the order of the sentence.

    masked: the score of each key as softmax receives it, -inf where the mask forbids it.
    is_query: whether the key's token is the one that asks.
    """

    labels: Sequence[str]
    is_query: Sequence[bool]
    key: Vectors  # (n_lines, d_head)
    value: Vectors  # (n_lines, d_head)
    scores: Vectors  # (n_lines,)
    masked: Vectors  # (n_lines,)
    weights: Vectors  # (n_lines,)

    @property
    def weighted_values(self) -> Vectors:
        """(n_lines, d_head)"""
        return self.weights[:, None] * self.value


@dataclass(frozen=True, eq=False)
class OtherKeys:
    """The keys without a line of their own: their number, total weight and weighted sum of values.

    Without them the output would not be the sum of the lines.
    """

    n: int
    weight: float
    weighted_values: Vectors  # (d_head,)


@dataclass(frozen=True, eq=False)
class GroupQuery:
    """The query of a head that shares keys and values, and the key that it reads most."""

    head: int
    query: Vectors  # (d_head,)
    top_label: str
    top_weight: float


@dataclass(frozen=True, eq=False)
class SlicedQuery:
    """The query if the head read only the inputs `first` to `last`: a common misconception."""

    first: int
    last: int
    query: Vectors  # (d_head,)


@dataclass(frozen=True, eq=False)
class RowValues:
    """Everything in the figure: the row of one token in one head.

    piece_of: the word whose first piece the token is, "" if it is a whole word.
    divisor: √d_head, or None if scores are not divided.
    group: the queries of all heads with the same keys and values, this head's included.
    """

    label: str
    head: int
    n_heads: int
    divisor: float | None
    input: Vectors  # (d_model,), of the token
    query: Vectors  # (d_head,)
    keys: Keys
    other_keys: OtherKeys | None
    output: Vectors  # (d_head,), zeros if the head is ablated
    is_ablated: bool
    joined: Vectors  # (n_heads * d_head,)
    added: Vectors  # (d_model,)
    group: Sequence[GroupQuery]
    own_key: Vectors  # (d_head,), of the token itself
    own_value: Vectors  # (d_head,)
    sliced: SlicedQuery | None = None
    piece_of: str = ""

    @property
    def summary(self) -> str:
        """A sentence with the key that the row reads most."""
        top = int(self.keys.weights.argmax())
        weight = format_weight(float(self.keys.weights[top]))
        return f"Head {self.head}: {self.label} reads {self.keys.labels[top]} most, {weight}"

    @property
    def d_head(self) -> int:
        return len(self.query)

    @property
    def d_model(self) -> int:
        return len(self.added)

    @property
    def is_masked(self) -> bool:
        """Whether the mask forbids a key that has a line."""
        return bool(np.isinf(self.keys.masked).any())


@dataclass(frozen=True)
class RowStrips:
    """The content of every strip of the figure, drawn on access: see `strip_contents`.

    Weighted values, the output and the joined outputs have one colour scale, so that one can be
    followed into the next. Queries, keys, values, inputs and what is added have their own.
    """

    row: RowValues

    @cached_property
    def _query_scale(self) -> float:
        return largest_magnitude(self.row.query)

    @cached_property
    def _key_scale(self) -> float:
        return largest_magnitude(self.row.keys.key, self.row.own_key)

    @cached_property
    def _value_scale(self) -> float:
        return largest_magnitude(self.row.keys.value, self.row.own_value)

    @cached_property
    def _output_scale(self) -> float:
        return largest_magnitude(self.row.keys.weighted_values, self.row.joined)

    @property
    def query(self) -> str:
        return _strip(self.row.query, self._query_scale)

    @cached_property
    def keys(self) -> list[str]:
        return strip_contents(self.row.keys.key, self._key_scale)

    @cached_property
    def values(self) -> list[str]:
        return strip_contents(self.row.keys.value, self._value_scale)

    @cached_property
    def weighted_values(self) -> list[str]:
        return strip_contents(self.row.keys.weighted_values, self._output_scale)

    @property
    def other_keys(self) -> str:
        other = self.row.other_keys
        return _strip(other.weighted_values, self._output_scale) if other else ""

    @property
    def output(self) -> str:
        return _strip(self.row.output, self._output_scale)

    @property
    def joined(self) -> str:
        return _strip(self.row.joined, self._output_scale)

    @property
    def added(self) -> str:
        return _strip(self.row.added, largest_magnitude(self.row.added))

    @cached_property
    def input(self) -> str:
        return _strip(self.row.input, largest_magnitude(self.row.input))

    @property
    def group(self) -> list[str]:
        queries = np.stack([each.query for each in self.row.group])
        return strip_contents(queries, largest_magnitude(queries))

    @property
    def own_key(self) -> str:
        return _strip(self.row.own_key, self._key_scale)

    @property
    def own_value(self) -> str:
        return _strip(self.row.own_value, self._value_scale)

    @property
    def sliced(self) -> str:
        """The query of a slice, on the scale of the query itself."""
        return _strip(self.row.sliced.query, self._query_scale) if self.row.sliced else ""


def _strip(vector: Vectors, largest: float) -> str:
    (content,) = strip_contents(vector[None], largest)
    return content


def format_score(value: float) -> str:
    """Return a score with three digits or more: 0.87, 14.7, −120, −∞."""
    if isinf(value):
        return "−∞" if value < 0 else "∞"
    magnitude = abs(value)
    text = f"{magnitude:.{2 if magnitude < 9.995 else 1 if magnitude < 99.95 else 0}f}"
    return f"−{text}" if value < 0 and float(text) else text


def scaled_heading(row: RowValues) -> str:
    """Return the heading of the scores as softmax receives them."""
    return masked_heading(row, f"÷\xa0√{row.d_head}")


def masked_heading(row: RowValues, division: str) -> str:
    """Return `division`, unless scores are not divided, and whether a mask follows."""
    scaling = "not divided" if row.divisor is None else division
    return f"{scaling}, mask" if row.is_masked else scaling
