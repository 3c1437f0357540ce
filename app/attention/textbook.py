"""Multi-head attention as plain as the page in a book.

The reference that the fast form is held to, and what a reader of the lesson gets to see.
Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.
"""

from math import sqrt

import numpy as np

from app.attention.rope import Rotary
from app.attention.weights import AttentionWeights, Mask, Matrix


class ScoresOverflowError(ArithmeticError):
    """A score beyond the largest number of its type: softmax over it is undefined."""

    def __init__(self) -> None:
        super().__init__("Queries and keys are so large that their products overflow; scale them.")


class FullyMaskedRowError(ValueError):
    """A query that may read no key at all has no weights: softmax over nothing is undefined."""

    def __init__(self, rows: list[int]) -> None:
        self.rows = rows
        super().__init__(
            f"The mask lets these queries read no key: {rows}. Allow each row at least one column."
        )


def softmax(scores: Matrix) -> Matrix:
    """Turns each row (last axis) of `scores` into weights that sum to 1.

    The row's maximum is taken off first, which changes nothing but keeps `exp` from overflowing.
    A score of minus infinity gets the weight 0. Raises `ScoresOverflowError` for a row whose
    largest score is infinite or not a number.
    """
    largest = scores.max(axis=-1, keepdims=True)
    check_finite(largest)
    exponentials = np.exp(scores - largest)
    weights: Matrix = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return weights


def causal_mask(n: int) -> Mask:
    """(n, n), true where a query may read a key: itself and what stands before it."""
    return np.tri(n, dtype=bool)


def split_heads(x: Matrix, n_heads: int) -> Matrix:
    """(n, d_model) -> (n_heads, n, d_head). Reshaping straight to the result would mix tokens."""
    n, d_model = x.shape
    if d_model % n_heads:
        raise ValueError(f"d_model {d_model} is not a multiple of {n_heads} heads")
    return x.reshape(n, n_heads, d_model // n_heads).transpose(1, 0, 2)


def repeat_kv(x: Matrix, n_heads: int) -> Matrix:
    """(n_kv_heads, n, d_head) -> (n_heads, n, d_head): heads of one group read the same."""
    return np.repeat(x, n_heads // len(x), axis=0)


def apply_rotary(x: Matrix, rotary: Rotary | None) -> Matrix:
    """(n_heads, n, d_head), turned by its places where a model has its positions so."""
    return rotary.rotate(x) if rotary else x


def merge_heads(heads: Matrix) -> Matrix:
    """(n_heads, n, d_head) -> (n, d_model): the heads' outputs side by side."""
    n_heads, n, d_head = heads.shape
    return heads.transpose(1, 0, 2).reshape(n, n_heads * d_head)


def masked_scores(scores: Matrix, mask: Mask | None) -> Matrix:
    """Minus infinity wherever `mask` (broadcastable to `scores`) is false.

    Raises `FullyMaskedRowError` if a row is left without a key.
    """
    if mask is None:
        return scores
    broadcast_mask(mask, scores.shape)
    return np.where(mask, scores, -np.inf).astype(scores.dtype)


def broadcast_mask(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """`mask` broadcast to the shape of the scores (..., n_q, n_k).

    Raises `FullyMaskedRowError` if one of its rows allows nothing.
    """
    full_mask: Mask = np.broadcast_to(mask, shape)
    row_has_key = full_mask.any(axis=-1)
    if not row_has_key.all():
        raise FullyMaskedRowError(sorted({int(index[-1]) for index in np.argwhere(~row_has_key)}))
    return full_mask


def check_finite(largest: Matrix) -> None:
    """Raises `ScoresOverflowError` unless every row's largest score is a number."""
    if not np.isfinite(largest).all():
        raise ScoresOverflowError


def scaled_dot_product_attention(
    Q: Matrix, K: Matrix, V: Matrix, mask: Mask | None = None, *, scaled: bool = True
) -> tuple[Matrix, Matrix]:
    """Each query reads the values, weighted by how well their keys match it.

    Q (..., n_q, d_head), K (..., n_k, d_head), V (..., n_k, d_head) and a boolean mask
    broadcastable to (..., n_q, n_k), true where reading is allowed.
    Returns the outputs (..., n_q, d_head) and the weights (..., n_q, n_k).
    Raises `FullyMaskedRowError`. Source: Vaswani et al. 2017, equation 1.
    """
    scores = Q @ np.swapaxes(K, -1, -2)  # (..., n_q, n_k)
    if scaled:
        scores = scores / sqrt(Q.shape[-1])
    weights = softmax(masked_scores(scores, mask))
    return weights @ V, weights


def multi_head_attention(
    X: Matrix,
    W: AttentionWeights,
    mask: Mask | None = None,
    *,
    ablated_heads: tuple[int, ...] = (),
    scaled: bool = True,
) -> tuple[Matrix, Matrix]:
    """Every head attends in its own projection of X; the results are joined and mixed.

    X (n, d_model); mask broadcastable to (n_heads, n, n), the same for every head if (n, n).
    `heads_off` names heads whose output is replaced by zeros.
    Returns the output (n, d_model) and the weights (n_heads, n, n).
    Raises `FullyMaskedRowError`. Source: Vaswani et al. 2017, section 3.2.2.
    """
    Q = split_heads(X @ W.query + W.query_bias, W.n_heads)  # (n_heads, n, d_head)
    K = split_heads(X @ W.key + W.key_bias, W.n_kv_heads)  # (n_kv_heads, n, d_head)
    V = split_heads(X @ W.value + W.value_bias, W.n_kv_heads)
    Q, K = apply_rotary(Q, W.rotary), apply_rotary(K, W.rotary)
    K, V = repeat_kv(K, W.n_heads), repeat_kv(V, W.n_heads)  # (n_heads, n, d_head)
    heads, weights = scaled_dot_product_attention(Q, K, V, mask, scaled=scaled)
    heads = zero_heads(heads, ablated_heads)
    return merge_heads(heads) @ W.output + W.output_bias, weights


def zero_heads(heads: Matrix, ablated_heads: tuple[int, ...]) -> Matrix:
    """(n_heads, n, d_head) with zeros in place of the heads named."""
    if not ablated_heads:
        return heads
    heads = heads.copy()
    heads[list(ablated_heads)] = 0
    return heads
