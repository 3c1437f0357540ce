"""The weights of one attention layer, stored as the fast form wants them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.attention.rope import Rotary

Matrix = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AttentionWeights:
    """Four projections. Q, K and V lie side by side in one matrix, (in, out) and C-contiguous:
    one product computes all three, and a transposed operand would cost up to twice as much.

    Several heads may share a set of keys and values: there are `n_kv_heads` sets, as many as heads
    if it is not given, and heads that follow one another share one. `rotary` turns queries and keys
    by their places. Source of the sharing: Ainslie et al. 2023, "GQA", section 2.2.
    Raises `ValueError` for shapes that do not fit.
    """

    n_heads: int
    qkv: Matrix  # (d_model, (n_heads + 2 * n_kv_heads) * d_head)
    qkv_bias: Matrix  # ((n_heads + 2 * n_kv_heads) * d_head,)
    output: Matrix  # (n_heads * d_head, d_model)
    output_bias: Matrix  # (d_model,)
    n_kv_heads: int = 0
    rotary: Rotary | None = None

    def __post_init__(self) -> None:
        if not self.n_kv_heads:
            object.__setattr__(self, "n_kv_heads", self.n_heads)
        joined, d_model = self.output.shape
        if joined % self.n_heads:
            raise ValueError(f"{joined} outputs are not a multiple of {self.n_heads} heads")
        if self.n_heads % self.n_kv_heads:
            raise ValueError(f"{self.n_heads} heads do not share {self.n_kv_heads} sets of keys")
        width = joined + 2 * self.n_kv_heads * self.d_head
        expected = ((d_model, width), (width,), (d_model,))
        found = (self.qkv.shape, self.qkv_bias.shape, self.output_bias.shape)
        if expected != found:
            raise ValueError(f"attention weights have shapes {found}; expected {expected}")

    @property
    def d_model(self) -> int:
        return int(self.qkv.shape[0])

    @property
    def d_head(self) -> int:
        return int(self.output.shape[0]) // self.n_heads

    @property
    def group(self) -> int:
        """How many heads share one set of keys and values."""
        return self.n_heads // self.n_kv_heads

    def parts(self, of: Matrix) -> tuple[Matrix, Matrix, Matrix]:
        """(..., all columns of `qkv`) as those of queries, keys and values."""
        queries = self.n_heads * self.d_head
        keys = queries + self.n_kv_heads * self.d_head
        return of[..., :queries], of[..., queries:keys], of[..., keys:]

    @property
    def query(self) -> Matrix:
        """W_Q (d_model, n_heads * d_head): head i owns columns i * d_head to (i + 1) * d_head."""
        return self.parts(self.qkv)[0]

    @property
    def key(self) -> Matrix:
        """W_K (d_model, n_kv_heads * d_head)."""
        return self.parts(self.qkv)[1]

    @property
    def value(self) -> Matrix:
        """W_V (d_model, n_kv_heads * d_head)."""
        return self.parts(self.qkv)[2]

    @property
    def query_bias(self) -> Matrix:
        """(n_heads * d_head,)"""
        return self.parts(self.qkv_bias)[0]

    @property
    def key_bias(self) -> Matrix:
        """(n_kv_heads * d_head,)"""
        return self.parts(self.qkv_bias)[1]

    @property
    def value_bias(self) -> Matrix:
        """(n_kv_heads * d_head,)"""
        return self.parts(self.qkv_bias)[2]
