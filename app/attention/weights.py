"""The weights of one attention layer, stored as the fast form wants them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AttentionWeights:
    """Four projections. Q, K and V lie side by side in one matrix, (in, out) and C-contiguous:
    one product computes all three, and a transposed operand would cost up to twice as much.
    """

    n_heads: int
    qkv: Matrix  # (d_model, 3 * d_model)
    qkv_bias: Matrix  # (3 * d_model,)
    output: Matrix  # (d_model, d_model)
    output_bias: Matrix  # (d_model,)

    def __post_init__(self) -> None:
        d_model = self.qkv.shape[0]
        if d_model % self.n_heads:
            raise ValueError(f"d_model {d_model} is not a multiple of {self.n_heads} heads")
        expected = (
            (d_model, 3 * d_model),
            (3 * d_model,),
            (d_model, d_model),
            (d_model,),
        )
        found = (
            self.qkv.shape,
            self.qkv_bias.shape,
            self.output.shape,
            self.output_bias.shape,
        )
        if expected != found:
            raise ValueError(f"attention weights have shapes {found}; expected {expected}")

    @property
    def d_model(self) -> int:
        return int(self.qkv.shape[0])

    @property
    def d_head(self) -> int:
        return self.d_model // self.n_heads

    def _third(self, of: Matrix, index: int) -> Matrix:
        return of[..., index * self.d_model : (index + 1) * self.d_model]

    @property
    def query(self) -> Matrix:
        """W_Q (d_model, d_model): head i owns columns i * d_head to (i + 1) * d_head."""
        return self._third(self.qkv, 0)

    @property
    def key(self) -> Matrix:
        """W_K (d_model, d_model)."""
        return self._third(self.qkv, 1)

    @property
    def value(self) -> Matrix:
        """W_V (d_model, d_model)."""
        return self._third(self.qkv, 2)

    @property
    def query_bias(self) -> Matrix:
        """(d_model,)"""
        return self._third(self.qkv_bias, 0)

    @property
    def key_bias(self) -> Matrix:
        """(d_model,)"""
        return self._third(self.qkv_bias, 1)

    @property
    def value_bias(self) -> Matrix:
        """(d_model,)"""
        return self._third(self.qkv_bias, 2)
