"""Predictions: questions about the learner's sentence whose answers the models compute."""

from collections.abc import Callable

import numpy as np

from app.lesson.options import NoOptions, Options
from app.lesson.predictions.cached_numbers import CACHED_NUMBERS
from app.lesson.predictions.changed_top_words import CHANGED_TOP_WORDS
from app.lesson.predictions.column_total import COLUMN_TOTAL
from app.lesson.predictions.distinct_words import DISTINCT_WORDS
from app.lesson.predictions.head_record import HEAD_RECORD
from app.lesson.predictions.keeps_previous import KEEPS_PREVIOUS
from app.lesson.predictions.question import (
    COMMON_PLACEHOLDERS,
    Answer,
    AnswerChoice,
    Mark,
    PredictionInput,
    PredictionType,
    Question,
    Reason,
    argmax_with_ties,
    number_choices,
)
from app.lesson.predictions.shared_keys import SHARED_KEYS


def cells_and_parameters(inputs: PredictionInput) -> tuple[Question, Answer]:
    """Ask how many cells the maps of all heads have, and by what factor the parameters grow."""
    n = len(inputs.sentence.tokens)
    n_heads = inputs.model.card.n_heads
    right = (n_heads * n * n, 1)
    wrong = [(n_heads * n * n, max(2, n_heads // 2)), (n * n, 1), (n_heads * n, 1)]
    pairs = sorted(dict.fromkeys([right, *wrong]))
    choices = tuple(
        AnswerChoice(f"{cells}x{factor}", {"cells": f"{cells:,}", "factor": str(factor)})
        for cells, factor in pairs
    )
    return Question(choices), Answer((f"{right[0]}x1",), {"square": f"{n * n:,}"})


def largest_contribution(inputs: PredictionInput) -> tuple[Question, Answer]:
    """Ask which head, switched off, changes the chosen word most: argmax of ‖O_i W_O⁽ⁱ⁾‖."""
    trace = inputs.selection.run(last_layer=inputs.layer).trace(inputs.layer)
    tokens = [i for i, token in enumerate(inputs.sentence.tokens) if token.word == inputs.word]
    norms = np.linalg.norm(trace.contributions[:, tokens], axis=-1).mean(axis=1)  # (n_heads,)
    return (
        Question(number_choices(range(len(norms)))),
        Answer(argmax_with_ties(norms), {"length": f"{norms.max():.2f}"}),
    )


def _both(
    compute: Callable[[PredictionInput], tuple[Question, Answer]],
    depends_on: tuple[str, ...],
    placeholders: tuple[str, ...] = (),
    choice_placeholders: tuple[str, ...] = ("value",),
    options_type: type[Options] = NoOptions,
) -> PredictionType:
    return PredictionType(
        ask=lambda inputs: compute(inputs)[0],
        answer=lambda inputs: compute(inputs)[1],
        depends_on=depends_on,
        placeholders=placeholders,
        choice_placeholders=choice_placeholders,
        options_type=options_type,
    )


TEXT_LAYER_WORD = ("text", "layer", "word")

PREDICTIONS = {
    "distinct_words": DISTINCT_WORDS,
    "column_total": COLUMN_TOTAL,
    "changed_top_words": CHANGED_TOP_WORDS,
    "cells_and_parameters": _both(
        cells_and_parameters,
        ("text",),
        placeholders=("square",),
        choice_placeholders=("cells", "factor"),
    ),
    "largest_contribution": _both(largest_contribution, TEXT_LAYER_WORD, placeholders=("length",)),
    "cached_numbers": CACHED_NUMBERS,
    "head_record": HEAD_RECORD,
    "keeps_previous": KEEPS_PREVIOUS,
    "shared_keys": SHARED_KEYS,
}
"""Values of `predict.computed_by` in the `.toml` file of a step."""

__all__ = [
    "COMMON_PLACEHOLDERS",
    "PREDICTIONS",
    "Answer",
    "AnswerChoice",
    "Mark",
    "PredictionInput",
    "PredictionType",
    "Question",
    "Reason",
]
