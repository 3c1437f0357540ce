"""The weights of one attention layer, stored as `fast` reads them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.attention.rope import Rotary

Matrix = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AttentionWeights:
    """Query, key, value and output projections of one layer.

    Q, K and V are columns of one matrix, stored as (in, out) and C-contiguous: one product computes
    all three, and a transposed operand would take up to twice as long.
    In grouped-query attention, n_heads / n_kv_heads consecutive heads share one key and value head;
    0 means as many as `n_heads`. `rotary` adds rotary positions to queries and keys.
    Source: Ainslie et al. 2023, "GQA", section 2.2. Raises ValueError for shapes that do not fit.
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
        concat_width, d_model = self.output.shape
        if concat_width % self.n_heads:
            raise ValueError(f"{concat_width} rows of W_O do not divide into {self.n_heads} heads")
        if self.n_heads % self.n_kv_heads:
            raise ValueError(
                f"{self.n_heads} heads cannot share {self.n_kv_heads} sets of keys and values"
            )
        qkv_width = concat_width + 2 * self.n_kv_heads * self.d_head
        expected = ((d_model, qkv_width), (qkv_width,), (d_model,))
        actual = (self.qkv.shape, self.qkv_bias.shape, self.output_bias.shape)
        if expected != actual:
            raise ValueError(f"attention weights have shapes {actual}; expected {expected}")

    @property
    def d_model(self) -> int:
        return int(self.qkv.shape[0])

    @property
    def d_head(self) -> int:
        return int(self.output.shape[0]) // self.n_heads

    @property
    def group_size(self) -> int:
        """Number of heads that share one key and value head."""
        return self.n_heads // self.n_kv_heads

    def split_qkv(self, packed: Matrix) -> tuple[Matrix, Matrix, Matrix]:
        """Split an array of shape (..., columns of `qkv`) into queries, keys and values."""
        queries = self.n_heads * self.d_head
        keys = queries + self.n_kv_heads * self.d_head
        return packed[..., :queries], packed[..., queries:keys], packed[..., keys:]

    @property
    def query(self) -> Matrix:
        """W_Q (d_model, n_heads * d_head): head i owns columns i * d_head to (i + 1) * d_head."""
        return self.split_qkv(self.qkv)[0]

    @property
    def key(self) -> Matrix:
        """W_K (d_model, n_kv_heads * d_head)."""
        return self.split_qkv(self.qkv)[1]

    @property
    def value(self) -> Matrix:
        """W_V (d_model, n_kv_heads * d_head)."""
        return self.split_qkv(self.qkv)[2]

    @property
    def query_bias(self) -> Matrix:
        """(n_heads * d_head,)"""
        return self.split_qkv(self.qkv_bias)[0]

    @property
    def key_bias(self) -> Matrix:
        """(n_kv_heads * d_head,)"""
        return self.split_qkv(self.qkv_bias)[1]

    @property
    def value_bias(self) -> Matrix:
        """(n_kv_heads * d_head,)"""
        return self.split_qkv(self.qkv_bias)[2]
