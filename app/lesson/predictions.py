"""Predictions: what is true of the learner's own sentence, computed by the models."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from app.attention.metrics import diagonal_mean, word_row
from app.attention.variants import perturb_token, sliced_input_attention
from app.attention.weights import Matrix
from app.lesson.options import CacheSizes, NoOptions, Options
from app.lesson.shuffle import shuffled
from app.models import Model, Sentence

FIELDS = (
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

CHANGED = 1e-6
"""A map counts as changed if one of its weights moves by more than this."""

KEEPS_WITHIN = 0.1
"""A head keeps a score if it moves by no more than this."""

TIE = 1e-6
"""Figures closer than this are a tie, and either answer is right."""


@dataclass(frozen=True)
class Asked:
    """What a prediction is about: a view of a sentence, by a model; all counted from 0. `options`
    are those of the step.
    """

    sentence: Sentence
    model: Model
    layer: int
    head: int
    word: int
    options: Mapping[str, Any] = field(default_factory=dict)

    def weights(self) -> Matrix:
        """The maps of the layer, (n_heads, n, n)."""
        return self.model.read(self.sentence, last_layer=self.layer).weights[self.layer]


@dataclass(frozen=True)
class Pick:
    """A word, its index from 0, and the heads that read it most.

    `place` counts words from 1 and is given only where the same word stands elsewhere too.
    """

    word: str
    index: int
    place: int | None
    heads: tuple[int, ...]


@dataclass(frozen=True)
class Choice:
    """An answer that can be given; `values` fill the author's words for it."""

    id: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Truth:
    """`answers` are those of `choices` that are right, several if they tie.

    `values` are further figures that the author's words may name; `picks` show how the answer
    came about.
    """

    answers: tuple[str, ...]
    choices: tuple[Choice, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    picks: tuple[Pick, ...] = ()

    @property
    def is_tie(self) -> bool:
        return len(self.answers) > 1

    @property
    def ids(self) -> list[str]:
        return [choice.id for choice in self.choices]


@dataclass(frozen=True)
class Question:
    """`about` names what of a view the answer depends on, beside a model that the step fixes;
    `fields` what `Truth.values` holds, `choice_fields` what each choice's values hold, `options`
    what a step must give it.
    """

    truth: Callable[[Asked], Truth]
    about: tuple[str, ...]
    fields: tuple[str, ...] = ()
    choice_fields: tuple[str, ...] = ("value",)
    options: type[Options] = NoOptions


def numbers(values: Sequence[int]) -> tuple[Choice, ...]:
    return tuple(Choice(str(value), {"value": f"{value:,}"}) for value in values)


def distinct_top_words(asked: Asked) -> Truth:
    """How many different words the heads of a layer read most: `len(set(argmax A[:, i, :]))`.

    A word that stands twice in the sentence counts as two.
    """
    read = word_row(asked.weights(), asked.sentence.word_of, asked.word)  # (n_heads, n_words)
    tops: list[int] = read.argmax(axis=-1).tolist()
    words = asked.sentence.words
    picks = tuple(
        Pick(
            words[key].text,
            key,
            asked.sentence.place_if_repeated(key),
            tuple(head for head, top in enumerate(tops) if top == key),
        )
        for key in sorted(set(tops))
    )
    most = min(len(tops), len(words))
    return Truth((str(len(picks)),), numbers(range(1, most + 1)), picks=picks)


def largest_column(asked: Asked) -> Truth:
    """Which token's column of one head's map has the largest total: `argmax A[k].sum(0)`."""
    totals = asked.weights()[asked.head].astype(np.float64).sum(axis=0)  # (n,)
    choices = tuple(
        Choice(str(index), {"value": text})
        for index, text in enumerate(token_names(asked.sentence))
    )
    return Truth(largest(totals), choices, {"total": f"{totals.max():.2f}"})


def token_names(sentence: Sentence) -> list[str]:
    """The tokens' own spelling, with their place from 1 where it stands more than once."""
    texts = [token.text for token in sentence.tokens]
    return [
        text if texts.count(text) == 1 else f"{text} ({index + 1})"
        for index, text in enumerate(texts)
    ]


def largest(figures: Matrix) -> tuple[str, ...]:
    """The indices of all that are as large as the largest, but for `TIE`."""
    return tuple(str(i) for i in np.flatnonzero(figures >= figures.max() - TIE))


def heads_changed(asked: Asked) -> Truth:
    """How many heads' maps change when one token's first inputs are nudged."""
    token = next(i for i, each in enumerate(asked.sentence.tokens) if each.word == asked.word)
    trace = asked.model.read(asked.sentence, last_layer=asked.layer).trace(asked.layer)
    X = perturb_token(trace.X, token)
    projected = np.abs(trace.with_input(X).weights - trace.with_input(trace.X).weights).max(
        axis=(1, 2)
    )
    sliced = np.abs(sliced_input_attention(trace, X) - sliced_input_attention(trace, trace.X)).max(
        axis=(1, 2)
    )
    count = int((projected > CHANGED).sum())
    values = {"sliced": str(int((sliced > CHANGED).sum()))}
    return Truth((str(count),), numbers(range(trace.W.n_heads + 1)), values)


def cells_and_parameters(asked: Asked) -> Truth:
    """How many cells the maps of eight heads have, and by what the parameters grow from two."""
    n = len(asked.sentence.tokens)
    n_heads = asked.model.card.n_heads
    right = (n_heads * n * n, 1)
    wrong = [(n_heads * n * n, max(2, n_heads // 2)), (n * n, 1), (n_heads * n, 1)]
    pairs = sorted(dict.fromkeys([right, *wrong]))
    choices = tuple(
        Choice(f"{cells}x{factor}", {"cells": f"{cells:,}", "factor": str(factor)})
        for cells, factor in pairs
    )
    return Truth((f"{right[0]}x1",), choices, {"square": f"{n * n:,}"})


def largest_contribution(asked: Asked) -> Truth:
    """Which head, switched off, moves the chosen word most: argmax of ‖O_i W_O⁽ⁱ⁾‖."""
    trace = asked.model.read(asked.sentence, last_layer=asked.layer).trace(asked.layer)
    tokens = [i for i, token in enumerate(asked.sentence.tokens) if token.word == asked.word]
    norms = np.linalg.norm(trace.contributions[:, tokens], axis=-1).mean(axis=1)  # (n_heads,)
    return Truth(largest(norms), numbers(range(len(norms))), {"length": f"{norms.max():.2f}"})


def keeps_previous(asked: Asked) -> Truth:
    """Whether the head that reads the previous token most keeps that score when words move."""
    before = diagonal_mean(asked.weights(), -1)  # (n_heads,)
    head = int(before.argmax())
    moved = replace(asked, sentence=shuffled(asked.sentence, asked.model).sentence)
    after = float(diagonal_mean(moved.weights(), -1)[head])
    keeps = abs(after - float(before[head])) <= KEEPS_WITHIN
    values = {"top": str(head), "before": f"{before[head]:.2f}", "after": f"{after:.2f}"}
    choices = (Choice("yes", {"value": "yes"}), Choice("no", {"value": "no"}))
    return Truth(("yes" if keeps else "no",), choices, values)


def cached_numbers(asked: Asked) -> Truth:
    """How many numbers a model of the sizes in the options keeps for the sentence.

    The wrong answers forget the sharing, share among all heads, or forget keys or values.
    """
    sizes = CacheSizes.model_validate(asked.options)
    n = len(asked.sentence.tokens)
    right, unshared = sizes.cached(n), sizes.unshared.cached(n)
    wrong = [unshared, sizes.model_copy(update={"kv_heads": 1}).cached(n), right // 2]
    choices = numbers(sorted({right, *wrong}))
    return Truth((str(right),), choices, {"all_heads": f"{unshared:,}"})


WORD_OF_A_LAYER = ("text", "layer", "word")
WHOLE_LAYER = ("text", "layer")

TRUTHS = {
    "distinct_top_words": Question(distinct_top_words, WORD_OF_A_LAYER),
    "largest_column": Question(
        largest_column, ("text", "model", "layer", "head"), fields=("total",)
    ),
    "heads_changed": Question(heads_changed, WORD_OF_A_LAYER, fields=("sliced",)),
    "cells_and_parameters": Question(
        cells_and_parameters, ("text",), fields=("square",), choice_fields=("cells", "factor")
    ),
    "largest_contribution": Question(largest_contribution, WORD_OF_A_LAYER, fields=("length",)),
    "keeps_previous": Question(keeps_previous, WHOLE_LAYER, fields=("top", "before", "after")),
    "cached_numbers": Question(
        cached_numbers, ("text",), fields=("all_heads",), options=CacheSizes
    ),
}
"""What the `.toml` beside a step's prose may name as `computed_by`."""
