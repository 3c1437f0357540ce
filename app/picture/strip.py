"""What one query reads: its row laid over the sentence, every word shaded by its weight."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from app.picture.colour import ink, levels, short


def strip(weights: NDArray[np.floating], words: Sequence[str], *, query: int) -> str:
    """HTML list of the words with their weights (n_words,), the query's own word marked."""
    top = int(weights.argmax())
    items = [
        f'<li class="{_classes(index, int(level), query, top)}">'
        f'<span class="word">{escape(word)}</span>'
        f'<span class="weight">{escape(short(float(weight)))}</span></li>'
        for index, (word, weight, level) in enumerate(
            zip(words, weights, levels(weights), strict=True)
        )
    ]
    return f'<ol class="strip">{"".join(items)}</ol>'


def _classes(index: int, level: int, query: int, top: int) -> str:
    names = [f"heat-{level}", ink(level)]
    if index == query:
        names.append("is-query")
    if index == top:
        names.append("is-top")
    return " ".join(names)
