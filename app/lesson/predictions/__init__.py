"""Predictions: questions about the learner's sentence whose answers the models compute."""

from collections.abc import Callable

import numpy as np

from app.attention.metrics import word_row
from app.attention.variants import perturb_token, sliced_input_attention
from app.lesson.options import NoOptions, Options
from app.lesson.predictions.cached_numbers import CACHED_NUMBERS
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
from app.models import Sentence

CHANGE_THRESHOLD = 1e-6
"""A map counts as changed if one of its weights changes by more than this."""


def distinct_top_words(inputs: PredictionInput) -> tuple[Question, Answer]:
    """Ask how many different words the heads of a layer read most: `len(set(argmax A[:, i, :]))`.

    A word that occurs twice in the sentence counts as two words.
    """
    word_rows = word_row(
        inputs.weights(), inputs.sentence.word_of, inputs.word
    )  # (n_heads, n_words)
    top_word_of_head: list[int] = word_rows.argmax(axis=-1).tolist()
    n_choices = min(len(top_word_of_head), len(inputs.sentence.words))
    return (
        Question(number_choices(range(1, n_choices + 1))),
        Answer((str(len(set(top_word_of_head))),)),
    )


def largest_column(inputs: PredictionInput) -> tuple[Question, Answer]:
    """Ask which token's column of one head's map has the largest sum: `argmax A[k].sum(0)`."""
    totals = inputs.weights()[inputs.head].astype(np.float64).sum(axis=0)  # (n,)
    choices = tuple(
        AnswerChoice(str(index), {"value": text})
        for index, text in enumerate(token_names(inputs.sentence))
    )
    return Question(choices), Answer(argmax_with_ties(totals), {"total": f"{totals.max():.2f}"})


def token_names(sentence: Sentence) -> list[str]:
    """Return the texts of the tokens; repeated texts are followed by their place, from 1."""
    texts = [token.text for token in sentence.tokens]
    return [
        text if texts.count(text) == 1 else f"{text} ({index + 1})"
        for index, text in enumerate(texts)
    ]


def heads_changed(inputs: PredictionInput) -> tuple[Question, Answer]:
    """Ask how many heads' maps change when the first inputs of one token are perturbed."""
    token = next(i for i, each in enumerate(inputs.sentence.tokens) if each.word == inputs.word)
    trace = inputs.selection.run(last_layer=inputs.layer).trace(inputs.layer)
    X = perturb_token(trace.X, token)
    projected = np.abs(trace.with_input(X).weights - trace.with_input(trace.X).weights).max(
        axis=(1, 2)
    )
    sliced = np.abs(sliced_input_attention(trace, X) - sliced_input_attention(trace, trace.X)).max(
        axis=(1, 2)
    )
    count = int((projected > CHANGE_THRESHOLD).sum())
    values = {"sliced": str(int((sliced > CHANGE_THRESHOLD).sum()))}
    return Question(number_choices(range(trace.W.n_heads + 1))), Answer((str(count),), values)


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
    "distinct_top_words": _both(distinct_top_words, TEXT_LAYER_WORD),
    "largest_column": _both(
        largest_column, ("text", "model", "layer", "head"), placeholders=("total",)
    ),
    "heads_changed": _both(heads_changed, TEXT_LAYER_WORD, placeholders=("sliced",)),
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
