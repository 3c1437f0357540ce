"""Maps of one layer for any input, by loops in double precision, to compare with."""

from math import exp, sqrt

import numpy as np


def layer_of(inputs):
    """Return the weights of the layer of a prediction's input, and what the layer receives."""
    trace = inputs.selection.run().trace(inputs.layer)
    return trace.W, trace.X.astype(np.float64)


def naive_maps(W, X, *, causal=False):
    """Return a list of rows for each head, with a weight for each key."""
    return [_map_of_head(W, X, head, range(W.d_model), causal=causal) for head in range(W.n_heads)]


def naive_sliced_maps(W, X, *, causal=False):
    """Return the maps if head i read only the i-th slice of the inputs."""
    edges = [head * W.d_model // W.n_heads for head in range(W.n_heads + 1)]
    return [
        _map_of_head(W, X, head, range(edges[head], edges[head + 1]), causal=causal)
        for head in range(W.n_heads)
    ]


def _map_of_head(W, X, head, inputs, *, causal):
    rows, columns = [], slice(head * W.d_head, (head + 1) * W.d_head)
    chosen = slice(inputs.start, inputs.stop)
    queries = X[:, chosen] @ W.query[chosen, columns] + W.query_bias[columns]
    keys = X[:, chosen] @ W.key[chosen, columns] + W.key_bias[columns]
    for place, query in enumerate(queries):
        readable = keys[: place + 1] if causal else keys
        scores = [float(query @ key) / sqrt(W.d_head) for key in readable]
        exponentials = [exp(score - max(scores)) for score in scores]
        row = [each / sum(exponentials) for each in exponentials]
        rows.append(row + [0.0] * (len(keys) - len(row)))
    return rows


def naive_word_rows(inputs, maps):
    """Return what the chosen word reads of each word in each map: the mean over its tokens."""
    word_of = [token.word for token in inputs.sentence.tokens]
    rows = []
    for each in maps:
        totals = [0.0] * len(inputs.sentence.words)
        asking = [row for row, word in zip(each, word_of, strict=True) if word == inputs.word]
        for row in asking:
            for word, weight in zip(word_of, row, strict=True):
                totals[word] += weight / len(asking)
        rows.append(totals)
    return rows


def is_close(row):
    """Whether the two largest weights differ too little to trust single precision."""
    *_, second, first = sorted([0.0, *row])
    return first - second < 1e-4


def top_of(row):
    return row.index(max(row))


def name_of(inputs, word):
    """The text of a word, with its place from 1 if the sentence repeats it."""
    texts = [each.text for each in inputs.sentence.words]
    return texts[word] if texts.count(texts[word]) == 1 else f"{texts[word]} ({word + 1})"


def expected_cause(inputs):
    """Why the top words of heads cannot be compared, None if they can."""
    content = {token.word for token in inputs.sentence.tokens if not token.special}
    if len(content) == 1:
        return "one_word"
    if inputs.model.card.causal and inputs.sentence.tokens[0].word == inputs.word:
        return "first_word"
    return "one_head" if inputs.model.card.n_heads == 1 else None
