"""Multi-head attention in its textbook form: the code that the lesson prints.

`fast` is tested against it. Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.
"""

from math import sqrt

import numpy as np

from app.attention.rope import Rotary
from app.attention.weights import AttentionWeights, Mask, Matrix


class ScoresOverflowError(ArithmeticError):
    """Raised if a score is infinite or not a number, so that softmax is undefined."""

    def __init__(self) -> None:
        super().__init__("Queries and keys are so large that their products overflow; scale them.")


class FullyMaskedRowError(ValueError):
    """Raised if the mask hides every key from a query, so that softmax is undefined.

    `rows` has the indices of these queries.
    """

    def __init__(self, rows: list[int]) -> None:
        self.rows = rows
        super().__init__(
            f"The mask hides every key from these queries: {rows}. Allow each row at least one key."
        )


def softmax(scores: Matrix) -> Matrix:
    """Return the softmax of `scores` (..., n_k) over the last axis, as weights that sum to 1.

    Subtracting the row's maximum first does not change the result and keeps `exp` from overflowing.
    A score of minus infinity gets the weight 0. Raises `ScoresOverflowError` if the largest score
    of a row is infinite or not a number.
    """
    largest = scores.max(axis=-1, keepdims=True)
    check_finite(largest)
    exponentials = np.exp(scores - largest)
    weights: Matrix = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return weights


def causal_mask(n: int) -> Mask:
    """Return a mask (n, n) that is True for each query's own key and those of earlier tokens."""
    return np.tri(n, dtype=bool)


def split_heads(x: Matrix, n_heads: int) -> Matrix:
    """Split the columns into heads: (n, d_model) -> (n_heads, n, d_head).

    Reshaping directly to (n_heads, n, d_head) would mix tokens. Raises ValueError if d_model is not
    a multiple of `n_heads`.
    """
    n, d_model = x.shape
    if d_model % n_heads:
        raise ValueError(f"d_model {d_model} is not a multiple of {n_heads} heads")
    return x.reshape(n, n_heads, d_model // n_heads).transpose(1, 0, 2)


def repeat_kv(x: Matrix, n_heads: int) -> Matrix:
    """Repeat keys or values for every head of a group: (n_kv_heads, n, d_head) -> (n_heads, …)."""
    return np.repeat(x, n_heads // len(x), axis=0)


def apply_rotary(x: Matrix, rotary: Rotary | None) -> Matrix:
    """Return x (n_heads, n, d_head) with rotary positions, or unchanged if `rotary` is None."""
    return rotary.rotate(x) if rotary else x


def merge_heads(heads: Matrix) -> Matrix:
    """Concatenate the heads: (n_heads, n, d_head) -> (n, n_heads * d_head)."""
    n_heads, n, d_head = heads.shape
    return heads.transpose(1, 0, 2).reshape(n, n_heads * d_head)


def masked_scores(scores: Matrix, mask: Mask | None) -> Matrix:
    """Return `scores` with minus infinity where `mask`, broadcastable to them, is False.

    Raises `FullyMaskedRowError`.
    """
    if mask is None:
        return scores
    broadcast_mask(mask, scores.shape)
    return np.where(mask, scores, -np.inf).astype(scores.dtype)


def broadcast_mask(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """Return `mask` broadcast to `shape`, that of the scores: (..., n_q, n_k).

    Raises `FullyMaskedRowError` if a row has no True.
    """
    full_mask: Mask = np.broadcast_to(mask, shape)
    row_has_key = full_mask.any(axis=-1)
    if not row_has_key.all():
        raise FullyMaskedRowError(sorted({int(index[-1]) for index in np.argwhere(~row_has_key)}))
    return full_mask


def check_finite(largest: Matrix) -> None:
    """Raise `ScoresOverflowError` unless the largest score of every row is finite."""
    if not np.isfinite(largest).all():
        raise ScoresOverflowError


def scaled_dot_product_attention(
    Q: Matrix, K: Matrix, V: Matrix, mask: Mask | None = None, *, scaled: bool = True
) -> tuple[Matrix, Matrix]:
    """Return softmax(Q Kᵀ / √d_head) V, and the weights softmax(Q Kᵀ / √d_head).

    Q is (..., n_q, d_head), K and V are (..., n_k, d_head). `mask` is boolean, broadcastable to
    (..., n_q, n_k), and True where a query may read a key. Without `scaled`, scores are not divided
    by √d_head. The outputs are (..., n_q, d_head), the weights (..., n_q, n_k).
    Raises `FullyMaskedRowError` and `ScoresOverflowError`. Source: Vaswani et al. 2017, equation 1.
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
    """Return the output (n, d_model) and the weights (n_heads, n, n) of multi-head attention.

    Each head attends with its own projections of X (n, d_model). The heads' outputs are
    concatenated and projected by W_O. `mask` is broadcastable to (n_heads, n, n); an (n, n) mask is
    the same for all heads. The outputs of `ablated_heads` are replaced by zeros.
    Raises `FullyMaskedRowError` and `ScoresOverflowError`.
    Source: Vaswani et al. 2017, section 3.2.2.
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
    """Return `heads` (n_heads, n, d_head) with zeros for the ablated heads."""
    if not ablated_heads:
        return heads
    heads = heads.copy()
    heads[list(ablated_heads)] = 0
    return heads
