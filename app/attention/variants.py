"""What multi-head attention is not, and what happens to it when parts are changed: for contrast."""

from dataclasses import replace
from itertools import pairwise
from math import sqrt

import numpy as np

from app.attention.textbook import masked_scores, softmax, turned
from app.attention.trace import Trace
from app.attention.weights import AttentionWeights, Matrix

NUDGED_INPUTS = 16
NUDGE = 1.0


def nudged(X: Matrix, token: int) -> Matrix:
    """X (n, d_model) with `NUDGE` added to the first `NUDGED_INPUTS` inputs of one token."""
    X = X.copy()
    X[token, :NUDGED_INPUTS] += NUDGE
    return X


def sliced_weights(trace: Trace, X: Matrix) -> Matrix:
    """The wrong way, with what else `trace` has: each head is given only its slice of the inputs X,
    the first of h heads the first h-th part of them, and so on.

    Each head keeps the rows of its own W_Q and W_K that belong to these inputs.
    Returns weights (n_heads, n, n).
    """
    W = trace.W
    query, key = np.empty((2, W.n_heads, len(X), W.d_head), X.dtype)
    (W_Q, W_K, _), (b_Q, b_K, _) = W.parts(W.qkv), W.parts(W.qkv_bias)
    edges = [head * W.d_model // W.n_heads for head in range(W.n_heads + 1)]
    for head, (first, end) in enumerate(pairwise(edges)):
        of_query, of_key = _columns(head, W.d_head), _columns(head // W.group, W.d_head)
        inputs = X[:, first:end]
        query[head] = inputs @ W_Q[first:end, of_query] + b_Q[of_query]
        key[head] = inputs @ W_K[first:end, of_key] + b_K[of_key]
    query, key = turned(query, W.rotary), turned(key, W.rotary)
    scores = query @ np.swapaxes(key, -1, -2) / sqrt(W.d_head)
    return softmax(masked_scores(scores, trace.mask))


def _columns(head: int, d_head: int) -> slice:
    return slice(head * d_head, (head + 1) * d_head)


def averaged_maps_output(trace: Trace) -> Matrix:
    """The output (n, d_model) if every head used the mean of all maps: what averaging would do."""
    mean = trace.weights.mean(axis=0)  # (n, n)
    heads = mean @ trace.V  # (n_heads, n, d_head)
    n_heads, n, d_head = heads.shape
    concat = heads.transpose(1, 0, 2).reshape(n, n_heads * d_head)
    output: Matrix = concat @ trace.W.output + trace.W.output_bias
    return output


def pooled(W: AttentionWeights, groups: int) -> AttentionWeights:
    """K and V projections averaged over `groups` groups of neighbouring sets of keys and values.

    Every head of a group reads the mean, which is grouped-query attention without the training
    that should follow. Source: Ainslie et al. 2023, section 2.1.
    Raises `ValueError` if the sets do not part into so many groups.
    """
    if not 0 < groups <= W.n_kv_heads or W.n_kv_heads % groups:
        raise ValueError(f"{W.n_kv_heads} sets of keys do not part into {groups} groups")
    return replace(
        W,
        qkv=np.ascontiguousarray(_group_means(W, W.qkv, groups)),
        qkv_bias=_group_means(W, W.qkv_bias, groups),
        n_kv_heads=groups,
    )


def _group_means(W: AttentionWeights, of: Matrix, groups: int) -> Matrix:
    """(..., all columns of `qkv`) with those of keys and values averaged over each group."""
    query, *rest = W.parts(of)
    means = [
        part.reshape(*part.shape[:-1], groups, -1, W.d_head).mean(axis=-2) for part in rest
    ]  # (..., groups, d_head)
    flat = [each.reshape(*each.shape[:-2], groups * W.d_head) for each in means]
    return np.concatenate([query, *flat], axis=-1)
