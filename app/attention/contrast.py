"""What multi-head attention is not, and what happens to it when parts are changed: for contrast."""

from dataclasses import replace

import numpy as np

from app.attention.core import softmax, split_heads
from app.attention.trace import Trace
from app.attention.transformer import Transformer
from app.attention.weights import AttentionWeights, Matrix

NUDGED_INPUTS = 16
NUDGE = 1.0


def nudged(X: Matrix, token: int) -> Matrix:
    """X (n, d_model) with `NUDGE` added to the first `NUDGED_INPUTS` inputs of one token."""
    X = X.copy()
    X[token, :NUDGED_INPUTS] += NUDGE
    return X


def sliced_weights(X: Matrix, W: AttentionWeights) -> Matrix:
    """The wrong way: head i is given only inputs i * d_head to (i + 1) * d_head.

    Each head keeps the block of its own W_Q and W_K that belongs to these inputs.
    Returns weights (n_heads, n, n).
    """
    inputs = split_heads(X, W.n_heads)  # (n_heads, n, d_head)
    blocks = [slice(i * W.d_head, (i + 1) * W.d_head) for i in range(W.n_heads)]
    query_blocks = np.stack([W.query[block, block] for block in blocks])
    key_blocks = np.stack([W.key[block, block] for block in blocks])
    query = inputs @ query_blocks + W.query_bias.reshape(W.n_heads, 1, W.d_head)
    key = inputs @ key_blocks + W.key_bias.reshape(W.n_heads, 1, W.d_head)
    return softmax(query @ np.swapaxes(key, -1, -2) / np.sqrt(W.d_head))


def averaged_maps_output(trace: Trace) -> Matrix:
    """The output (n, d_model) if every head used the mean of all maps: what averaging would do."""
    mean = trace.weights.mean(axis=0)  # (n, n)
    heads = mean @ trace.V  # (n_heads, n, d_head)
    n_heads, n, d_head = heads.shape
    concat = heads.transpose(1, 0, 2).reshape(n, n_heads * d_head)
    output: Matrix = concat @ trace.W.output + trace.W.output_bias
    return output


def pooled(W: AttentionWeights, groups: int) -> AttentionWeights:
    """K and V projections averaged over `groups` groups of neighbouring heads.

    Every head of a group is given the mean, which is grouped-query attention without the training
    that should follow. Source: Ainslie et al. 2023, section 2.1.
    Raises `ValueError` if the heads do not part into so many groups.
    """
    if not 0 < groups <= W.n_heads or W.n_heads % groups:
        raise ValueError(f"{W.n_heads} heads do not part into {groups} groups")
    qkv, bias = W.qkv.copy(), W.qkv_bias.copy()
    for third in (1, 2):
        part = slice(third * W.d_model, (third + 1) * W.d_model)
        qkv[:, part] = _group_means(qkv[:, part], W.n_heads, groups)
        bias[part] = _group_means(bias[part], W.n_heads, groups)
    return replace(W, qkv=qkv, qkv_bias=bias)


def with_shared_keys(model: Transformer, groups: int) -> Transformer:
    """The model with the K and V projections of every layer pooled into `groups` groups."""
    layers = tuple(
        replace(layer, attention=pooled(layer.attention, groups)) for layer in model.layers
    )
    return replace(model, layers=layers)


def _group_means(of: Matrix, n_heads: int, groups: int) -> Matrix:
    """(..., d_model) with each head's columns replaced by the mean over its group."""
    heads = of.reshape(*of.shape[:-1], groups, n_heads // groups, -1)
    means: Matrix = np.broadcast_to(heads.mean(axis=-2, keepdims=True), heads.shape)
    return means.reshape(of.shape)
