"""One row of one head, from the query to what the layer adds to the word.

`row_table` shows these values on pages, `row_flow` draws them as one SVG for files.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
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
    """The content of every strip of the figure: see `strip_contents`.

    Weighted values, the output and the joined outputs have one colour scale, so that one can be
    followed into the next. Queries, keys, values, inputs and what is added have their own.
    """

    query: str
    keys: Sequence[str]
    values: Sequence[str]
    weighted_values: Sequence[str]
    other_keys: str
    output: str
    joined: str
    added: str
    input: str
    group: Sequence[str]
    own_key: str
    own_value: str
    sliced: str

    @classmethod
    def of(cls, row: RowValues, lit: Collection[str]) -> "RowStrips":
        keys, other = row.keys, row.other_keys
        weighted = keys.weighted_values
        outputs = largest_magnitude(weighted, row.joined)
        queries = np.stack([each.query for each in row.group]) if "kv-sets" in lit else None
        has_input = "projections" in lit
        scale = largest_magnitude(row.query)
        key_scale = largest_magnitude(keys.key, row.own_key)
        value_scale = largest_magnitude(keys.value, row.own_value)
        return cls(
            query=_strip(row.query, scale),
            keys=strip_contents(keys.key, key_scale),
            values=strip_contents(keys.value, value_scale),
            weighted_values=strip_contents(weighted, outputs),
            other_keys=_strip(other.weighted_values, outputs) if other else "",
            output=_strip(row.output, outputs),
            joined=_strip(row.joined, outputs),
            added=_strip(row.added, largest_magnitude(row.added)),
            input=_strip(row.input, largest_magnitude(row.input)) if has_input else "",
            group=[] if queries is None else strip_contents(queries, largest_magnitude(queries)),
            own_key=_strip(row.own_key, key_scale) if has_input else "",
            own_value=_strip(row.own_value, value_scale) if has_input else "",
            sliced=_strip(row.sliced.query, scale) if row.sliced and has_input else "",
        )


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
