"""Variants of multi-head attention, some of them wrong, for comparison with the real form."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import sqrt

import numpy as np

from app.attention.textbook import apply_rotary, masked_scores, softmax
from app.attention.trace import Trace
from app.attention.weights import AttentionWeights, Matrix

MAX_PERTURBED_INPUTS = 16
"""At most this many inputs of a token are perturbed."""

PERTURBATION = 1.0
"""What is added to each of them."""

CHANGE_THRESHOLD = 1e-6
"""A map counts as changed if one of its weights changes by more than this."""


def input_slices(d_model: int, n_heads: int) -> list[range]:
    """Return n_heads equal slices of the inputs, as if head i were given slice i."""
    edges = [head * d_model // n_heads for head in range(n_heads + 1)]
    return [range(first, end) for first, end in pairwise(edges)]


def perturbed_head(n_heads: int) -> int:
    """Return the head that alone would notice perturbed inputs if heads were given slices."""
    return n_heads // 2


def perturbed_inputs(d_model: int, n_heads: int) -> range:
    """Return the inputs that `perturb_tokens` changes: the first of the slice of that head."""
    return input_slices(d_model, n_heads)[perturbed_head(n_heads)][:MAX_PERTURBED_INPUTS]


def perturb_tokens(X: Matrix, tokens: Sequence[int], n_heads: int) -> Matrix:
    """Return X (n, d_model) with `PERTURBATION` added to the `perturbed_inputs` of tokens."""
    inputs = perturbed_inputs(X.shape[-1], n_heads)
    X = X.copy()
    X[tokens, inputs.start : inputs.stop] += PERTURBATION
    return X


def sliced_input_attention(trace: Trace, X: Matrix) -> Matrix:
    """Return the weights (n_heads, n, n) if each head read only a slice of the input X.

    This is a common misconception. Of n_heads equal slices of the d_model inputs, head i gets slice
    i, and uses only the rows of its W_Q and W_K that belong to it. All else is as in `trace`.
    """
    query, key = sliced_input_queries_and_keys(trace, X)
    scores = query @ np.swapaxes(key, -1, -2) / sqrt(trace.W.d_head)
    return softmax(masked_scores(scores, trace.mask))


def sliced_input_queries_and_keys(trace: Trace, X: Matrix) -> tuple[Matrix, Matrix]:
    """Return Q and K of `sliced_input_attention`, each (n_heads, n, d_head)."""
    W = trace.W
    query, key = np.empty((2, W.n_heads, len(X), W.d_head), X.dtype)
    (W_Q, W_K, _), (b_Q, b_K, _) = W.split_qkv(W.qkv), W.split_qkv(W.qkv_bias)
    for head, slice_of_head in enumerate(input_slices(W.d_model, W.n_heads)):
        first, end = slice_of_head.start, slice_of_head.stop
        query_columns = _head_columns(head, W.d_head)
        key_columns = _head_columns(head // W.group_size, W.d_head)
        inputs = X[:, first:end]
        query[head] = inputs @ W_Q[first:end, query_columns] + b_Q[query_columns]
        key[head] = inputs @ W_K[first:end, key_columns] + b_K[key_columns]
    return apply_rotary(query, W.rotary), apply_rotary(key, W.rotary)


def _head_columns(head: int, d_head: int) -> slice:
    return slice(head * d_head, (head + 1) * d_head)


def output_with_mean_map(trace: Trace) -> Matrix:
    """Return the output (n, d_model) if every head used the mean of all heads' weights."""
    mean_map = trace.weights.mean(axis=0)  # (n, n)
    head_outputs = mean_map @ trace.V  # (n_heads, n, d_head)
    n_heads, n, d_head = head_outputs.shape
    concat = head_outputs.transpose(1, 0, 2).reshape(n, n_heads * d_head)
    output: Matrix = concat @ trace.W.output + trace.W.output_bias
    return output


def mean_pool_kv(W: AttentionWeights, groups: int) -> AttentionWeights:
    """Return W with the K and V projections averaged within `groups` groups of adjacent heads.

    The heads of a group then share one key and value head, as in grouped-query attention before the
    further training that it needs. Source: Ainslie et al. 2023, "GQA", section 2.1.
    Raises ValueError if the key and value heads do not form equal groups.
    """
    if not 0 < groups <= W.n_kv_heads or W.n_kv_heads % groups:
        raise ValueError(
            f"{W.n_kv_heads} sets of keys and values do not form {groups} equal groups."
            f" Choose a divisor of {W.n_kv_heads}."
        )
    return replace(
        W,
        qkv=np.ascontiguousarray(_group_means(W, W.qkv, groups)),
        qkv_bias=_group_means(W, W.qkv_bias, groups),
        n_kv_heads=groups,
    )


def _group_means(W: AttentionWeights, packed: Matrix, groups: int) -> Matrix:
    """Return `packed` (..., columns of `qkv`) with keys and values averaged within each group."""
    query, *key_and_value = W.split_qkv(packed)
    means = [
        part.reshape(*part.shape[:-1], groups, -1, W.d_head).mean(axis=-2) for part in key_and_value
    ]  # (..., groups, d_head)
    flat = [each.reshape(*each.shape[:-2], groups * W.d_head) for each in means]
    return np.concatenate([query, *flat], axis=-1)
