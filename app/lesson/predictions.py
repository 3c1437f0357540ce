"""Predictions: questions about the learner's sentence whose answers the models compute."""

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
"""Placeholders that the texts of every prediction may contain."""

CHANGE_THRESHOLD = 1e-6
"""A map counts as changed if one of its weights changes by more than this."""

MAX_WEIGHT_CHANGE = 0.1
"""A head keeps a score if the score changes by no more than this."""

TIE_TOLERANCE = 1e-6
"""Values closer than this are a tie, and each of their answers is right."""


@dataclass(frozen=True)
class PredictionInput(HasSelection):
    """A selection, and the options that the step gives to its prediction."""

    selection: Selection
    options: Mapping[str, Any] = field(default_factory=dict)

    def weights(self) -> Matrix:
        """Return the weights of the layer, (n_heads, n, n)."""
        return self.selection.run(last_layer=self.layer).weights[self.layer]


@dataclass(frozen=True)
class TopWordHeads:
    """A word, its index from 0, and the heads in which the chosen word attends to it most.

    `ordinal` is the place of the word, counted from 1, if the sentence repeats it, else None.
    """

    word: str
    index: int
    ordinal: int | None
    heads: tuple[int, ...]


@dataclass(frozen=True)
class AnswerChoice:
    """An answer that learners can give. `values` fill the placeholders of the button's text."""

    id: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class PredictionResult:
    """The choices of a question and the ids of the right ones, several if they tie.

    `values` fill further placeholders of the author's texts. `top_words` explain the answer of
    `distinct_top_words`.
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
    """A way to compute the choices and answers of a question.

    depends_on: the query parameters on which the answer depends. A step that fixes the model of
        its prediction adds no dependence on the chosen model.
    placeholders: the keys of `PredictionResult.values`.
    choice_placeholders: the keys of `AnswerChoice.values`.
    options_type: the options that a step has to give.
    """

    compute: Callable[[PredictionInput], PredictionResult]
    depends_on: tuple[str, ...]
    placeholders: tuple[str, ...] = ()
    choice_placeholders: tuple[str, ...] = ("value",)
    options_type: type[Options] = NoOptions


def number_choices(values: Sequence[int]) -> tuple[AnswerChoice, ...]:
    return tuple(AnswerChoice(str(value), {"value": f"{value:,}"}) for value in values)


def distinct_top_words(inputs: PredictionInput) -> PredictionResult:
    """Ask how many different words the heads of a layer read most: `len(set(argmax A[:, i, :]))`.

    A word that occurs twice in the sentence counts as two words.
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
    """Ask which token's column of one head's map has the largest sum: `argmax A[k].sum(0)`."""
    totals = inputs.weights()[inputs.head].astype(np.float64).sum(axis=0)  # (n,)
    choices = tuple(
        AnswerChoice(str(index), {"value": text})
        for index, text in enumerate(token_names(inputs.sentence))
    )
    return PredictionResult(argmax_with_ties(totals), choices, {"total": f"{totals.max():.2f}"})


def token_names(sentence: Sentence) -> list[str]:
    """Return the texts of the tokens; repeated texts are followed by their place, from 1."""
    texts = [token.text for token in sentence.tokens]
    return [
        text if texts.count(text) == 1 else f"{text} ({index + 1})"
        for index, text in enumerate(texts)
    ]


def argmax_with_ties(values: Matrix) -> tuple[str, ...]:
    """Return the indices of all values within `TIE_TOLERANCE` of the largest."""
    return tuple(str(i) for i in np.flatnonzero(values >= values.max() - TIE_TOLERANCE))


def heads_changed(inputs: PredictionInput) -> PredictionResult:
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
    return PredictionResult((str(count),), number_choices(range(trace.W.n_heads + 1)), values)


def cells_and_parameters(inputs: PredictionInput) -> PredictionResult:
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
    return PredictionResult((f"{right[0]}x1",), choices, {"square": f"{n * n:,}"})


def largest_contribution(inputs: PredictionInput) -> PredictionResult:
    """Ask which head, switched off, changes the chosen word most: argmax of ‖O_i W_O⁽ⁱ⁾‖."""
    trace = inputs.selection.run(last_layer=inputs.layer).trace(inputs.layer)
    tokens = [i for i, token in enumerate(inputs.sentence.tokens) if token.word == inputs.word]
    norms = np.linalg.norm(trace.contributions[:, tokens], axis=-1).mean(axis=1)  # (n_heads,)
    return PredictionResult(
        argmax_with_ties(norms), number_choices(range(len(norms))), {"length": f"{norms.max():.2f}"}
    )


def keeps_previous(inputs: PredictionInput) -> PredictionResult:
    """Ask whether the head that reads the previous token most keeps its score on shuffled words."""
    before = diagonal_mean(inputs.weights(), -1)  # (n_heads,)
    head = int(before.argmax())
    sentence = shuffle_words(inputs.sentence, inputs.model).sentence
    shuffled_input = replace(inputs, selection=replace(inputs.selection, sentence=sentence))
    after = float(diagonal_mean(shuffled_input.weights(), -1)[head])
    keeps = abs(after - float(before[head])) <= MAX_WEIGHT_CHANGE
    values = {"top": str(head), "before": f"{before[head]:.2f}", "after": f"{after:.2f}"}
    choices = (AnswerChoice("yes", {"value": "yes"}), AnswerChoice("no", {"value": "no"}))
    return PredictionResult(("yes" if keeps else "no",), choices, values)


def cached_numbers(inputs: PredictionInput) -> PredictionResult:
    """Ask how many numbers the cache of a model with the sizes in the options holds.

    The wrong choices have no sharing, share among all heads, or leave out keys or values.
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
"""Values of `predict.computed_by` in the `.toml` file of a step."""
