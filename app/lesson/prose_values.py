"""The values of placeholders in prose, computed for a view when they are first needed."""

from collections.abc import Callable

from app.lesson.labs import LabState
from app.picture import format_weight

HIDDEN = "?"
"""Stands for a value that answers the step's question."""


def _top(state: LabState) -> tuple[str, float]:
    """Return the word that the chosen word reads most in the chosen head, and its weight."""
    rows, texts = state.query_word_attention
    row = rows[state.head]  # (n_words,)
    top = int(row.argmax())
    return texts[top], float(row[top])


_VALUE_OF: dict[str, Callable[[LabState], str]] = {
    "word": lambda state: state.query_word,
    "model": lambda state: state.model.card.id,
    "layer": lambda state: str(state.layer),
    "head": lambda state: str(state.head),
    "n_heads": lambda state: str(state.model.card.n_heads),
    "d_model": lambda state: str(state.model.card.d_model),
    "d_head": lambda state: str(state.model.card.d_head),
    "n_tokens": lambda state: str(len(state.sentence.tokens)),
    "n_words": lambda state: str(len(state.sentence.words)),
    "n_cells": lambda state: f"{len(state.sentence.tokens) ** 2:,}",
    "sentence": lambda state: state.sentence.text,
    "top": lambda state: _top(state)[0],
    "weight": lambda state: format_weight(_top(state)[1]),
}

PROSE_PLACEHOLDERS = tuple(_VALUE_OF)
"""Placeholders that prose may contain.

`n_cells` are the cells of one map. `top` is the word that `word` reads most in the chosen head, and
`weight` is how much.
"""


class ProseValues(dict[str, str]):
    """A mapping from `PROSE_PLACEHOLDERS` to their values in the view that a lab displays.

    hides_top: what the chosen word reads most is left out.
    """

    def __init__(self, state: LabState, *, hides_top: bool = False) -> None:
        super().__init__({"top": HIDDEN, "weight": HIDDEN} if hides_top else {})
        self._state = state.displayed

    def __missing__(self, name: str) -> str:
        value = _VALUE_OF[name](self._state)
        self[name] = value
        return value
