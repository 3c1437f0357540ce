"""Questions about the learner's sentence, and their answers, which the models compute."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.attention.weights import Matrix
from app.evaluation.registry import EvaluatedRegistry
from app.lesson.options import NoOptions, Options
from app.lesson.selection import HasSelection, Selection

COMMON_PLACEHOLDERS = (
    "word",
    "layer",
    "head",
    "model",
    "n_heads",
    "d_model",
    "n_words",
    "n_tokens",
    "first_word",
    "second_word",
    "answer",
    "guess",
)
"""Placeholders that the texts of every prediction may contain."""

TIE_TOLERANCE = 1e-6
"""Values closer than this are a tie, and each of their answers is right."""


@dataclass(frozen=True)
class PredictionInput(HasSelection):
    """A selection, all models, and the options that the step gives to its prediction."""

    selection: Selection
    models: EvaluatedRegistry
    options: Mapping[str, Any] = field(default_factory=dict)

    def weights(self) -> Matrix:
        """Return the weights of the layer, (n_heads, n, n)."""
        return self.selection.run(last_layer=self.layer).weights[self.layer]


@dataclass(frozen=True)
class AnswerChoice:
    """An answer that learners can give. `values` fill the placeholders of the button's text."""

    id: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Question:
    """What learners are asked before they see the answer.

    choices: the possible answers, none if the question makes no sense for this sentence.
    values: fill further placeholders of the question's text. They do not give the answer away.
    unanswerable: if there are no choices, a key of the step's `predict.unanswerable` texts.
    """

    choices: tuple[AnswerChoice, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    unanswerable: str | None = None

    @property
    def choice_ids(self) -> list[str]:
        return [choice.id for choice in self.choices]


@dataclass(frozen=True)
class Reason:
    """One sentence of the explanation: a key of the step's `predict.reasons`, with its values."""

    id: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """Something in the lab that decides the answer; the lab outlines it.

    kind: "cell", "row", "column", "head", "bar", "model" or another name that the lab knows.
    row, column: indices of tokens in the sentence. Fields that do not apply are None.
    """

    kind: str
    head: int | None = None
    row: int | None = None
    column: int | None = None
    model: str | None = None


@dataclass(frozen=True)
class Answer:
    """The right choices, several if they tie, and why.

    `values` fill further placeholders of the texts that appear with the answer.
    """

    right: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def is_tie(self) -> bool:
        return len(self.right) > 1


@dataclass(frozen=True)
class PredictionType:
    """A kind of question.

    ask: returns the question. It is called for every view, so it must cost little.
    answer: returns the answer. It is called only when the learner may see it.
    depends_on: the query parameters on which the answer depends. A step that fixes the model of
        its prediction adds no dependence on the chosen model.
    question_placeholders: the keys of `Question.values`; every text may contain them.
    placeholders: the keys of `Answer.values`; texts that appear with the answer may contain them.
    choice_placeholders: the keys of `AnswerChoice.values`.
    reasons: for each id of a reason, the keys of its values.
    unanswerable: the possible values of `Question.unanswerable`.
    options_type: the options that a step has to give.
    other_choices: ids of choices that a step may label, though its default sentence has none of
        them.
    compares_models: the question is about Headwise's own models, whichever model is chosen.
    """

    ask: Callable[[PredictionInput], Question]
    answer: Callable[[PredictionInput], Answer]
    depends_on: tuple[str, ...]
    question_placeholders: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()
    choice_placeholders: tuple[str, ...] = ("value",)
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unanswerable: tuple[str, ...] = ()
    options_type: type[Options] = NoOptions
    other_choices: tuple[str, ...] = ()
    compares_models: bool = False


def number_choices(values: Sequence[int]) -> tuple[AnswerChoice, ...]:
    """Return a choice for each number, with the number as its text."""
    return tuple(AnswerChoice(str(value), {"value": f"{value:,}"}) for value in values)


def argmax_with_ties(values: Matrix) -> tuple[str, ...]:
    """Return the indices of all values within `TIE_TOLERANCE` of the largest."""
    return tuple(str(i) for i in np.flatnonzero(values >= values.max() - TIE_TOLERANCE))
