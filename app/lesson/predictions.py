"""Predictions: what is true of the learner's own sentence, computed by the models."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from app.attention.metrics import diagonal_mean, word_row
from app.attention.variants import perturb_token, sliced_input_attention
from app.attention.weights import Matrix
from app.lesson.options import CacheSizes, NoOptions, Options
from app.lesson.selection import HasSelection, Selection
from app.lesson.shuffle import shuffle_words
from app.models import Sentence

COMMON_PLACEHOLDERS = (
    "word",
    "layer",
    "head",
    "model",
    "n_heads",
    "d_model",
    "n_words",
    "n_tokens",
    "answer",
    "guess",
)
"""What the sentences of every prediction may name in braces."""

CHANGE_THRESHOLD = 1e-6
"""A map counts as changed if one of its weights moves by more than this."""

MAX_SCORE_CHANGE = 0.1
"""A head keeps a score if it moves by no more than this."""

TIE_TOLERANCE = 1e-6
"""Figures closer than this are a tie, and either answer is right."""


@dataclass(frozen=True)
class PredictionInput(HasSelection):
    """What a prediction is computed from: a selection, and the step's `options`."""

    selection: Selection
    options: Mapping[str, Any] = field(default_factory=dict)

    def weights(self) -> Matrix:
        """The maps of the layer, (n_heads, n, n)."""
        return self.selection.run(last_layer=self.layer).weights[self.layer]


@dataclass(frozen=True)
class TopWordHeads:
    """A word, its index from 0, and the heads that read it most.

    `ordinal` counts words from 1 and is given only where the same word stands elsewhere too.
    """

    word: str
    index: int
    ordinal: int | None
    heads: tuple[int, ...]


@dataclass(frozen=True)
class AnswerChoice:
    """An answer that can be given; `values` fill the author's words for it."""

    id: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class PredictionResult:
    """`answers` are those of `choices` that are right, several if they tie.

    `values` are further figures that the author's words may name; `top_words` show how the answer
    came about.
    """

    answers: tuple[str, ...]
    choices: tuple[AnswerChoice, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    top_words: tuple[TopWordHeads, ...] = ()

    @property
    def is_tie(self) -> bool:
        return len(self.answers) > 1

    @property
    def choice_ids(self) -> list[str]:
        return [choice.id for choice in self.choices]


@dataclass(frozen=True)
class PredictionType:
    """`depends_on` names what of a view the answer depends on, beside a model that the step
    fixes; `placeholders` what `PredictionResult.values` holds, `choice_placeholders` what each
    choice's values hold, `options_type` what a step must give it.
    """

    compute: Callable[[PredictionInput], PredictionResult]
    depends_on: tuple[str, ...]
    placeholders: tuple[str, ...] = ()
    choice_placeholders: tuple[str, ...] = ("value",)
    options_type: type[Options] = NoOptions


def number_choices(values: Sequence[int]) -> tuple[AnswerChoice, ...]:
    return tuple(AnswerChoice(str(value), {"value": f"{value:,}"}) for value in values)


def distinct_top_words(inputs: PredictionInput) -> PredictionResult:
    """How many different words the heads of a layer read most: `len(set(argmax A[:, i, :]))`.

    A word that stands twice in the sentence counts as two.
    """
    word_rows = word_row(
        inputs.weights(), inputs.sentence.word_of, inputs.word
    )  # (n_heads, n_words)
    top_word_of_head: list[int] = word_rows.argmax(axis=-1).tolist()
    words = inputs.sentence.words
    top_words = tuple(
        TopWordHeads(
            words[key].text,
            key,
            inputs.sentence.ordinal_if_repeated(key),
            tuple(head for head, top in enumerate(top_word_of_head) if top == key),
        )
        for key in sorted(set(top_word_of_head))
    )
    n_choices = min(len(top_word_of_head), len(words))
    return PredictionResult(
        (str(len(top_words)),), number_choices(range(1, n_choices + 1)), top_words=top_words
    )


def largest_column(inputs: PredictionInput) -> PredictionResult:
    """Which token's column of one head's map has the largest total: `argmax A[k].sum(0)`."""
    totals = inputs.weights()[inputs.head].astype(np.float64).sum(axis=0)  # (n,)
    choices = tuple(
        AnswerChoice(str(index), {"value": text})
        for index, text in enumerate(token_names(inputs.sentence))
    )
    return PredictionResult(argmax_with_ties(totals), choices, {"total": f"{totals.max():.2f}"})


def token_names(sentence: Sentence) -> list[str]:
    """The tokens' own spelling, with their place from 1 where it stands more than once."""
    texts = [token.text for token in sentence.tokens]
    return [
        text if texts.count(text) == 1 else f"{text} ({index + 1})"
        for index, text in enumerate(texts)
    ]


def argmax_with_ties(values: Matrix) -> tuple[str, ...]:
    """The indices of all that are as large as the largest, but for `TIE_TOLERANCE`."""
    return tuple(str(i) for i in np.flatnonzero(values >= values.max() - TIE_TOLERANCE))


def heads_changed(inputs: PredictionInput) -> PredictionResult:
    """How many heads' maps change when one token's first inputs are nudged."""
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
    return PredictionResult((str(count),), number_choices(range(trace.W.n_heads + 1)), values)


def cells_and_parameters(inputs: PredictionInput) -> PredictionResult:
    """How many cells the maps of eight heads have, and by what the parameters grow from two."""
    n = len(inputs.sentence.tokens)
    n_heads = inputs.model.card.n_heads
    right = (n_heads * n * n, 1)
    wrong = [(n_heads * n * n, max(2, n_heads // 2)), (n * n, 1), (n_heads * n, 1)]
    pairs = sorted(dict.fromkeys([right, *wrong]))
    choices = tuple(
        AnswerChoice(f"{cells}x{factor}", {"cells": f"{cells:,}", "factor": str(factor)})
        for cells, factor in pairs
    )
    return PredictionResult((f"{right[0]}x1",), choices, {"square": f"{n * n:,}"})


def largest_contribution(inputs: PredictionInput) -> PredictionResult:
    """Which head, switched off, moves the chosen word most: argmax of ‖O_i W_O⁽ⁱ⁾‖."""
    trace = inputs.selection.run(last_layer=inputs.layer).trace(inputs.layer)
    tokens = [i for i, token in enumerate(inputs.sentence.tokens) if token.word == inputs.word]
    norms = np.linalg.norm(trace.contributions[:, tokens], axis=-1).mean(axis=1)  # (n_heads,)
    return PredictionResult(
        argmax_with_ties(norms), number_choices(range(len(norms))), {"length": f"{norms.max():.2f}"}
    )


def keeps_previous(inputs: PredictionInput) -> PredictionResult:
    """Whether the head that reads the previous token most keeps that score when words move."""
    before = diagonal_mean(inputs.weights(), -1)  # (n_heads,)
    head = int(before.argmax())
    sentence = shuffle_words(inputs.sentence, inputs.model).sentence
    shuffled_input = replace(inputs, selection=replace(inputs.selection, sentence=sentence))
    after = float(diagonal_mean(shuffled_input.weights(), -1)[head])
    keeps = abs(after - float(before[head])) <= MAX_SCORE_CHANGE
    values = {"top": str(head), "before": f"{before[head]:.2f}", "after": f"{after:.2f}"}
    choices = (AnswerChoice("yes", {"value": "yes"}), AnswerChoice("no", {"value": "no"}))
    return PredictionResult(("yes" if keeps else "no",), choices, values)


def cached_numbers(inputs: PredictionInput) -> PredictionResult:
    """How many numbers a model of the sizes in the options keeps for the sentence.

    The wrong answers forget the sharing, share among all heads, or forget keys or values.
    """
    sizes = CacheSizes.model_validate(inputs.options)
    n = len(inputs.sentence.tokens)
    right, unshared = sizes.kv_cache_size(n), sizes.unshared.kv_cache_size(n)
    wrong = [unshared, sizes.model_copy(update={"kv_heads": 1}).kv_cache_size(n), right // 2]
    choices = number_choices(sorted({right, *wrong}))
    return PredictionResult((str(right),), choices, {"all_heads": f"{unshared:,}"})


TEXT_LAYER_WORD = ("text", "layer", "word")
TEXT_LAYER = ("text", "layer")

PREDICTIONS = {
    "distinct_top_words": PredictionType(distinct_top_words, TEXT_LAYER_WORD),
    "largest_column": PredictionType(
        largest_column, ("text", "model", "layer", "head"), placeholders=("total",)
    ),
    "heads_changed": PredictionType(heads_changed, TEXT_LAYER_WORD, placeholders=("sliced",)),
    "cells_and_parameters": PredictionType(
        cells_and_parameters,
        ("text",),
        placeholders=("square",),
        choice_placeholders=("cells", "factor"),
    ),
    "largest_contribution": PredictionType(
        largest_contribution, TEXT_LAYER_WORD, placeholders=("length",)
    ),
    "keeps_previous": PredictionType(
        keeps_previous, TEXT_LAYER, placeholders=("top", "before", "after")
    ),
    "cached_numbers": PredictionType(
        cached_numbers, ("text",), placeholders=("all_heads",), options_type=CacheSizes
    ),
}
"""What the `.toml` beside a step's prose may name as `computed_by`."""
