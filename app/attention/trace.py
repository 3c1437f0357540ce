"""Every intermediate of one attention layer, each computed when it is first read."""

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
    """The computation of one attention layer for the input X, step by step.

    `mask`, `ablated_heads` and `divide_by_sqrt_d_head` are the arguments of
    `textbook.multi_head_attention`. `precomputed_weights` replace `weights` if given.
    `masked` and everything computed from it raise `FullyMaskedRowError`, `weights` and everything
    computed from them `ScoresOverflowError`.
    """

    X: Matrix  # (n, d_model)
    W: AttentionWeights
    mask: Mask | None = None
    ablated_heads: tuple[int, ...] = ()
    divide_by_sqrt_d_head: bool = True
    precomputed_weights: Matrix | None = None  # (n_heads, n, n)

    def with_input(self, X: Matrix) -> "Trace":
        """Return the trace of the same layer for another input (n, d_model)."""
        return replace(self, X=X, precomputed_weights=None)

    @cached_property
    def Q(self) -> Matrix:  # noqa: N802
        """Queries, (n_heads, n, d_head), with rotary positions if the layer has them"""
        query = split_heads(self.X @ self.W.query + self.W.query_bias, self.W.n_heads)
        return apply_rotary(query, self.W.rotary)

    @cached_property
    def K(self) -> Matrix:  # noqa: N802
        """Keys, (n_heads, n, d_head), repeated for heads that share them"""
        key = split_heads(self.X @ self.W.key + self.W.key_bias, self.W.n_kv_heads)
        return repeat_kv(apply_rotary(key, self.W.rotary), self.W.n_heads)

    @cached_property
    def V(self) -> Matrix:  # noqa: N802
        """Values, (n_heads, n, d_head), repeated for heads that share them"""
        value = split_heads(self.X @ self.W.value + self.W.value_bias, self.W.n_kv_heads)
        return repeat_kv(value, self.W.n_heads)

    @cached_property
    def scores(self) -> Matrix:
        """Q Kᵀ, (n_heads, n, n)"""
        return self.Q @ np.swapaxes(self.K, -1, -2)

    @cached_property
    def scaled(self) -> Matrix:
        """Scores divided by √d_head, (n_heads, n, n); unchanged without `divide_by_sqrt_d_head`"""
        return self.scores / sqrt(self.W.d_head) if self.divide_by_sqrt_d_head else self.scores

    @cached_property
    def masked(self) -> Matrix:
        """Scaled scores with minus infinity where the mask is False, (n_heads, n, n)"""
        return masked_scores(self.scaled, self.mask)

    @cached_property
    def weights(self) -> Matrix:
        """Attention weights, (n_heads, n, n): rows are queries and sum to 1, columns are keys"""
        return (
            softmax(self.masked) if self.precomputed_weights is None else self.precomputed_weights
        )

    @cached_property
    def head_outputs(self) -> Matrix:
        """Weights times V, (n_heads, n, d_head); zeros for ablated heads"""
        return zero_heads(self.weights @ self.V, self.ablated_heads)

    @cached_property
    def concat(self) -> Matrix:
        """The heads' outputs concatenated, (n, n_heads * d_head)"""
        return merge_heads(self.head_outputs)

    @cached_property
    def contributions(self) -> Matrix:
        """Each head's part of the output, (n_heads, n, d_model): its output times its rows of W_O.

        Their sum plus b_O is the output.
        """
        return self.head_outputs @ self._head_output_projections

    @cached_property
    def value_contributions(self) -> Matrix:
        """Each key's contribution at a weight of 1, (n_heads, n, d_model): V times rows of W_O"""
        return self.V @ self._head_output_projections

    @property
    def _head_output_projections(self) -> Matrix:
        """Each head's rows of W_O, (n_heads, d_head, d_model)"""
        return self.W.output.reshape(self.W.n_heads, self.W.d_head, self.W.d_model)

    @cached_property
    def norm_weighted(self) -> Matrix:
        """Weights times the norms of `value_contributions`, (n_heads, n, n); rows sum to 1.

        Source: Kobayashi et al. 2020, "Attention is Not Only a Weight", section 3.
        """
        norms = np.linalg.norm(self.value_contributions, axis=-1)[:, None, :]  # (n_heads, 1, n)
        weighted_norms = self.weights * norms
        shares: Matrix = weighted_norms / weighted_norms.sum(axis=-1, keepdims=True)
        return shares

    @cached_property
    def output(self) -> Matrix:
        """concat W_O + b_O, (n, d_model)"""
        return self.concat @ self.W.output + self.W.output_bias
