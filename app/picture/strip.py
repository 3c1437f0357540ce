"""One row of an attention matrix as the sentence with each word coloured by its weight."""

from collections.abc import Sequence
from functools import cache, lru_cache
from html import escape

import numpy as np
from numpy.typing import NDArray

from app.picture.colour_scale import heat_class, quantise, text_class
from app.picture.number_format import format_cell

# The strips of all heads repeat the same words.
_WORD_CACHE_SIZE = 512


def word_strip(weights: NDArray[np.floating], words: Sequence[str], *, query: int) -> str:
    """Return an HTML list of the words with their `weights` (n_words,).

    The word with the index `query` and the word with the largest weight are marked.
    """
    top_index = int(weights.argmax())
    row = zip(words, weights.tolist(), quantise(weights).tolist(), strict=True)
    items = [
        f'<li class="{_item_classes(level, index == query, index == top_index)}">{_word_html(word)}'
        f'<span class="weight">{_escaped_weight(format_cell(weight))}</span></li>'
        for index, (word, weight, level) in enumerate(row)
    ]
    return f'<ol class="strip">{"".join(items)}</ol>'


@lru_cache(_WORD_CACHE_SIZE)
def _word_html(word: str) -> str:
    return f'<span class="word">{escape(word)}</span>'


@cache
def _escaped_weight(number: str) -> str:
    return escape(number)


@cache
def _item_classes(level: int, is_query: bool, is_top: bool) -> str:
    classes = [heat_class(level), text_class(level)]
    if is_query:
        classes.append("is-query")
    if is_top:
        classes.append("is-top")
    return " ".join(classes)
