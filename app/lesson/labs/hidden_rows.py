"""Rows of maps that would answer the question of a step, left out until the answer is revealed."""

from collections.abc import Mapping, Sequence

from app.lesson.labs.lab_state import LabState

HiddenRows = Mapping[int, Sequence[int]]
"""For heads of the chosen model and layer, the rows that their maps leave out."""

NO_ROWS: HiddenRows = {}


def no_rows(_: LabState) -> HiddenRows:
    return NO_ROWS


def rows_of_other_words(state: LabState) -> HiddenRows:
    """Return every row of the chosen head but those of the chosen word: columns add up to it."""
    rows = range(len(state.tokens))
    return {state.head: [row for row in rows if row not in state.query_rows]}


def every_row(state: LabState) -> HiddenRows:
    """Return all rows of every head: another word's rows answer the question about that word."""
    return dict.fromkeys(range(state.model.card.n_heads), range(len(state.tokens)))
