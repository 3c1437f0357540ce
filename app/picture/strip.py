"""What one query reads: its row laid over the sentence, every word shaded by its weight."""

from collections.abc import Sequence
from functools import cache, lru_cache
from html import escape

import numpy as np
from numpy.typing import NDArray

from app.picture.number_format import ink, levels, short

_WORDS = 512
"""The words of a sentence stand in the strips of all heads."""


def strip(weights: NDArray[np.floating], words: Sequence[str], *, query: int) -> str:
    """HTML list of the words with their weights (n_words,), the query's own word marked."""
    top = int(weights.argmax())
    row = zip(words, weights.tolist(), levels(weights).tolist(), strict=True)
    items = [
        f'<li class="{_classes(level, index == query, index == top)}">{_word(word)}'
        f'<span class="weight">{_written(short(weight))}</span></li>'
        for index, (word, weight, level) in enumerate(row)
    ]
    return f'<ol class="strip">{"".join(items)}</ol>'


@lru_cache(_WORDS)
def _word(word: str) -> str:
    return f'<span class="word">{escape(word)}</span>'


@cache
def _written(number: str) -> str:
    return escape(number)


@cache
def _classes(level: int, is_query: bool, is_top: bool) -> str:
    names = [f"heat-{level}", ink(level)]
    if is_query:
        names.append("is-query")
    if is_top:
        names.append("is-top")
    return " ".join(names)
