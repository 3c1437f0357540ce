"""A whole trained model by loops in double precision, to compare with."""

from math import erf, sqrt

import numpy as np


def naive_probabilities(model, ids, position):
    """Return the probability of every token at one position, (vocabulary,)."""
    transformer = model.transformer
    x = [
        transformer.token_embedding[token].astype(np.float64) + transformer.position_embedding[i]
        for i, token in enumerate(ids)
    ]
    for layer in transformer.layers:
        normed = [_layer_norm(layer.attention_norm, row) for row in x]
        x = [row + added for row, added in zip(x, _attention(layer.attention, normed), strict=True)]
        x = [row + _feed_forward(layer, _layer_norm(layer.ffn_norm, row)) for row in x]
    row = x[position] if transformer.norm is None else _layer_norm(transformer.norm, x[position])
    return _softmax(_logits(transformer.lm_head, row))


def _layer_norm(norm, row):
    centred = row - row.sum() / len(row)
    return norm.gain * centred / sqrt((centred**2).sum() / len(row) + norm.epsilon) + norm.bias


def _attention(W, rows):
    outputs = [W.output_bias.astype(np.float64) for _ in rows]
    for head in range(W.n_heads):
        columns = slice(head * W.d_head, (head + 1) * W.d_head)
        q, k, v = (
            [row @ matrix[:, columns] + bias[columns] for row in rows]
            for matrix, bias in (
                (W.query, W.query_bias),
                (W.key, W.key_bias),
                (W.value, W.value_bias),
            )
        )
        for i, query in enumerate(q):
            weights = _softmax(np.array([query @ key / sqrt(W.d_head) for key in k]))
            read = sum(weight * value for weight, value in zip(weights, v, strict=True))
            outputs[i] = outputs[i] + read @ W.output[columns]
    return outputs


def _feed_forward(layer, row):
    inner = row @ layer.ffn_hidden.weight + layer.ffn_hidden.bias
    return _gelu(inner) @ layer.ffn_output.weight + layer.ffn_output.bias


def _gelu(row):
    return np.array([each * (1 + erf(each / sqrt(2))) / 2 for each in row])


def _logits(lm_head, row):
    if lm_head.transform:
        row = _gelu(row @ lm_head.transform.weight + lm_head.transform.bias)
    if lm_head.norm:
        row = _layer_norm(lm_head.norm, row)
    logits = row @ lm_head.weight.T.astype(np.float64)
    return logits if lm_head.bias is None else logits + lm_head.bias


def _softmax(values):
    exponentials = np.exp(values - values.max())
    return exponentials / exponentials.sum()
