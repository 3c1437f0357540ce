"""Attention of one layer by loops in double precision, to compare with."""

from dataclasses import dataclass

import numpy as np


@dataclass
class NaiveLayer:
    """`value_contributions` are those of a key that is read in full."""

    weights: np.ndarray  # (n_heads, n, n)
    value_contributions: np.ndarray  # (n_heads, n, d_model)
    contributions: np.ndarray  # (n_heads, n, d_model)


def naive_layer(model, sentence, layer):
    """Compute the layer from its inputs, which are those of the model's own pass."""
    trace = model.run(sentence).trace(layer)
    W, X = trace.W, trace.X.astype(np.float64)
    all_weights, value_contributions = [], []
    for head in range(W.n_heads):
        columns = slice(head * W.d_head, (head + 1) * W.d_head)
        q = X @ W.query[:, columns] + W.query_bias[columns]
        k = X @ W.key[:, columns] + W.key_bias[columns]
        v = X @ W.value[:, columns] + W.value_bias[columns]
        rows = []
        for query in q:
            exponentials = np.exp([query @ key / np.sqrt(W.d_head) for key in k])
            rows.append(exponentials / exponentials.sum())
        all_weights.append(np.array(rows))
        value_contributions.append(v @ W.output[columns])
    weights, values = np.array(all_weights), np.array(value_contributions)
    return NaiveLayer(weights, values, weights @ values)
