"""Multi-head attention as in `textbook`, optimised; `make bench` measures the gain.

- One matrix product computes Q, K and V.
- Heads are strided views, which BLAS reads without a copy.
- Scores are computed as K Qᵀ, so that softmax works on whole vectors instead of short rows.
- Arrays are overwritten where possible instead of allocated.
"""

from math import sqrt

import numpy as np

from app.attention.matmul import matmul
from app.attention.textbook import broadcast_mask, check_finite
from app.attention.weights import AttentionWeights, Mask, Matrix

MAX_SAFE_EXPONENT = 30.0
"""exp of numbers between -30 and 30 neither overflows nor loses precision in float32."""


def multi_head_attention(
    X: Matrix,
    W: AttentionWeights,
    mask: Mask | None = None,
    *,
    ablated_heads: tuple[int, ...] = (),
    scaled: bool = True,
) -> tuple[Matrix, Matrix]:
    """Return the output (n, d_model) and the weights (n_heads, n, n).

    Arguments and errors are those of `textbook.multi_head_attention`.
    """
    n = X.shape[0]
    query, key, value = projections(X, W, scaled=scaled)
    weights = attention_weights(query, key, mask)
    heads = np.empty((n, W.n_heads, W.d_head), X.dtype)
    if W.group_size == 1:
        np.matmul(weights, value, out=heads.transpose(1, 0, 2))
    else:
        grouped = heads.reshape(n, W.n_kv_heads, W.group_size, W.d_head).transpose(1, 2, 0, 3)
        np.matmul(weights.reshape(W.n_kv_heads, W.group_size, n, n), value[:, None], out=grouped)
    if ablated_heads:
        heads[:, list(ablated_heads)] = 0
    output = matmul(heads.reshape(n, W.n_heads * W.d_head), W.output)
    output += W.output_bias
    return output, weights


def projections(
    X: Matrix, W: AttentionWeights, *, scaled: bool = True
) -> tuple[Matrix, Matrix, Matrix]:
    """Return the query (n_heads, n, d_head), and key and value (n_kv_heads, n, d_head) of X.

    The query is already divided by √d_head if `scaled`.
    """
    qkv = matmul(X, W.qkv)
    qkv += W.qkv_bias
    heads = qkv.reshape(len(X), -1, W.d_head).transpose(1, 0, 2)  # queries, keys, values
    key_end = W.n_heads + W.n_kv_heads
    query, key, value = heads[: W.n_heads], heads[W.n_heads : key_end], heads[key_end:]
    if scaled:
        query *= 1 / sqrt(W.d_head)
    if W.rotary:
        query, key = W.rotary.rotate(query), W.rotary.rotate(key)
    return query, key, value


def attention_weights(query: Matrix, key: Matrix, mask: Mask | None = None) -> Matrix:
    """Return softmax(query keyᵀ), (n_heads, n_q, n_k), as a transposed view.

    `query` (n_heads, n_q, d_head) must be scaled already. Consecutive heads share a `key`
    (n_kv_heads, n_k, d_head). Raises `FullyMaskedRowError` and `ScoresOverflowError`.
    """
    n_heads, n_queries, d_head = query.shape
    if len(key) == n_heads:
        transposed = np.matmul(key, query.transpose(0, 2, 1))  # (n_heads, n_k, n_q)
    else:
        grouped = query.reshape(len(key), -1, n_queries, d_head)
        transposed = np.matmul(key[:, None], grouped.transpose(0, 1, 3, 2))
        transposed = transposed.reshape(n_heads, -1, n_queries)
    skip_max_subtraction = _needs_no_max_subtraction(transposed)
    if mask is not None:
        full_mask = broadcast_mask(mask, (n_heads, n_queries, transposed.shape[1]))
        np.copyto(transposed, -np.inf, where=~full_mask.transpose(0, 2, 1))
    if not skip_max_subtraction:
        largest = np.maximum.reduce(transposed, axis=1, keepdims=True)
        check_finite(largest)
        transposed -= largest
    np.exp(transposed, out=transposed)
    transposed /= np.add.reduce(transposed, axis=1, keepdims=True)
    weights: Matrix = transposed.transpose(0, 2, 1)
    return weights


def _needs_no_max_subtraction(scores: Matrix) -> bool:
    """Return whether exp of every score is safe; False if a score is not a number."""
    smallest, largest = np.minimum.reduce(scores, axis=None), np.maximum.reduce(scores, axis=None)
    return bool(smallest > -MAX_SAFE_EXPONENT and largest < MAX_SAFE_EXPONENT)
