"""Every intermediate of one attention layer, each computed when it is first asked for."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import sqrt

import numpy as np

from app.attention.textbook import (
    apply_rotary,
    masked_scores,
    merge_heads,
    repeat_kv,
    softmax,
    split_heads,
    zero_heads,
)
from app.attention.weights import AttentionWeights, Mask, Matrix


@dataclass(frozen=True, eq=False)
class Trace:
    """One layer at work on X (n, d_model), in the order in which a book tells it.

    `mask`, `heads_off` and `scaled` are as in `core.multi_head_attention`; `known_weights` are the
    weights where somebody has computed them already.
    `weights` and all that follows raise `FullyMaskedRowError` if the mask leaves a row empty.
    """

    X: Matrix  # (n, d_model)
    W: AttentionWeights
    mask: Mask | None = None
    ablated_heads: tuple[int, ...] = ()
    divide_by_sqrt_d_head: bool = True
    precomputed_weights: Matrix | None = None  # (n_heads, n, n)

    def with_input(self, X: Matrix) -> "Trace":
        """The same layer at work on other inputs (n, d_model)."""
        return replace(self, X=X, precomputed_weights=None)

    @cached_property
    def Q(self) -> Matrix:  # noqa: N802
        """(n_heads, n, d_head)"""
        query = split_heads(self.X @ self.W.query + self.W.query_bias, self.W.n_heads)
        return apply_rotary(query, self.W.rotary)

    @cached_property
    def K(self) -> Matrix:  # noqa: N802
        """(n_heads, n, d_head), the same for all heads that share it"""
        key = split_heads(self.X @ self.W.key + self.W.key_bias, self.W.n_kv_heads)
        return repeat_kv(apply_rotary(key, self.W.rotary), self.W.n_heads)

    @cached_property
    def V(self) -> Matrix:  # noqa: N802
        """(n_heads, n, d_head), the same for all heads that share it"""
        value = split_heads(self.X @ self.W.value + self.W.value_bias, self.W.n_kv_heads)
        return repeat_kv(value, self.W.n_heads)

    @cached_property
    def scores(self) -> Matrix:
        """Q Kᵀ, (n_heads, n, n)"""
        return self.Q @ np.swapaxes(self.K, -1, -2)

    @cached_property
    def scaled(self) -> Matrix:
        """Scores divided by √d_head, (n_heads, n, n); undivided if the divisor is switched off."""
        return self.scores / sqrt(self.W.d_head) if self.divide_by_sqrt_d_head else self.scores

    @cached_property
    def masked(self) -> Matrix:
        """Minus infinity where the mask forbids reading, (n_heads, n, n)"""
        return masked_scores(self.scaled, self.mask)

    @cached_property
    def weights(self) -> Matrix:
        """Rows are queries and sum to 1, columns are keys, (n_heads, n, n)"""
        return (
            softmax(self.masked) if self.precomputed_weights is None else self.precomputed_weights
        )

    @cached_property
    def head_outputs(self) -> Matrix:
        """Weights times V, zeros for heads switched off, (n_heads, n, d_head)"""
        return zero_heads(self.weights @ self.V, self.ablated_heads)

    @cached_property
    def concat(self) -> Matrix:
        """The heads' outputs side by side, (n, d_model)"""
        return merge_heads(self.head_outputs)

    @cached_property
    def contributions(self) -> Matrix:
        """What each head adds to the output through its own rows of W_O: O_i W_O⁽ⁱ⁾,
        (n_heads, n, d_model). With b_O they sum to the output.
        """
        return self.head_outputs @ self._head_output_projections

    @cached_property
    def value_contributions(self) -> Matrix:
        """What each key writes if it is read in full: V_i W_O⁽ⁱ⁾, (n_heads, n, d_model)."""
        return self.V @ self._head_output_projections

    @property
    def _head_output_projections(self) -> Matrix:
        """Each head's rows of W_O, (n_heads, d_head, d_model)"""
        return self.W.output.reshape(self.W.n_heads, self.W.d_head, self.W.d_model)

    @cached_property
    def norm_weighted(self) -> Matrix:
        """Weights times the length of what the key writes, each row scaled to sum to 1.

        Source: Kobayashi et al. 2020, "Attention is Not Only a Weight", section 3.
        (n_heads, n, n)
        """
        norms = np.linalg.norm(self.value_contributions, axis=-1)[:, None, :]  # (n_heads, 1, n)
        weighted_norms = self.weights * norms
        shares: Matrix = weighted_norms / weighted_norms.sum(axis=-1, keepdims=True)
        return shares

    @cached_property
    def output(self) -> Matrix:
        """concat W_O + b_O, (n, d_model)"""
        return self.concat @ self.W.output + self.W.output_bias
