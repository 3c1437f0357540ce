"""Attention with one set of keys for all heads, by loops in double precision, to compare with."""

import numpy as np

from app.attention import Intervention


def naive_rows(inputs, *, is_pooled):
    """For each head, the weight of the chosen word on each word, in double precision."""
    sentence, layer = inputs.sentence, inputs.layer
    intervention = Intervention(groups=1) if is_pooled else Intervention()
    trace = inputs.model.run(sentence, intervention=intervention).trace(layer)
    X, W = trace.X.astype(np.float64), inputs.model.run(sentence).trace(layer).W
    heads = [slice(head * W.d_head, (head + 1) * W.d_head) for head in range(W.n_heads)]
    key_weights = [W.key[:, columns].astype(np.float64) for columns in heads]
    key_biases = [W.key_bias[columns].astype(np.float64) for columns in heads]
    rows = []
    for head, columns in enumerate(heads):
        key, bias = key_weights[head], key_biases[head]
        if is_pooled:
            key, bias = sum(key_weights) / W.n_heads, sum(key_biases) / W.n_heads
        keys = [x @ key + bias for x in X]
        totals = [0.0] * len(sentence.words)
        asking = [i for i, token in enumerate(sentence.tokens) if token.word == inputs.word]
        for i in asking:
            query = X[i] @ W.query[:, columns] + W.query_bias[columns]
            exponentials = [np.exp(query @ k / np.sqrt(W.d_head)) for k in keys]
            for token, exponential in zip(sentence.tokens, exponentials, strict=True):
                totals[token.word] += exponential / sum(exponentials) / len(asking)
        rows.append(totals)
    return rows
