"""The prediction of a step, computed for a selection."""

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from app.evaluation.registry import EvaluatedRegistry
from app.lesson import (
    PREDICTIONS,
    Answer,
    AnswerChoice,
    PredictionInput,
    PredictionType,
    Question,
    Selection,
)
from app.lesson.markdown import fill_text
from app.lesson.schema import Prediction
from app.models import Model


@dataclass(frozen=True)
class StepPrediction:
    """The question that a step asks about a selection; the answer is computed when first needed."""

    config: Prediction
    selection: Selection
    models: EvaluatedRegistry

    @property
    def model(self) -> Model:
        """The model that the question is about, which may be another than the selected one."""
        return self.models.model_for_prediction(self.config.model, self.selection.model)

    @property
    def type(self) -> PredictionType:
        return PREDICTIONS[self.config.computed_by]

    @property
    def key(self) -> str:
        """Everything that the answer depends on, as a query: equal keys ask the same question."""
        selection = self.selection.with_model(self.model)
        values = {
            "text": selection.sentence.text,
            "model": self.model.card.id,
            "layer": selection.layer,
            "head": selection.head,
            "word": selection.word,
        }
        depends_on = {*self.type.depends_on}
        if not self.type.compares_models:
            depends_on.add("model")
        return urlencode({name: value for name, value in values.items() if name in depends_on})

    @cached_property
    def _input(self) -> PredictionInput:
        selection = self.selection.with_model(self.model)
        return PredictionInput(selection, self.models, self.config.options)

    @cached_property
    def question(self) -> Question:
        """The choices, without the answer."""
        return self.type.ask(self._input)

    @cached_property
    def answer(self) -> Answer:
        """The right choices and the reasons."""
        return self.type.answer(self._input)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The text of each choice's button, by the choice's id."""
        return {choice.id: self._label(choice) for choice in self.question.choices}

    def question_placeholders(self, given: str | None) -> dict[str, str]:
        """Return the values for braces in texts that stand before the answer.

        `given` is the learner's answer.
        """
        sentence, card = self.selection.sentence, self.model.card
        texts = sentence.word_texts
        return {
            "word": sentence.words[self.selection.word].text,
            "layer": str(min(self.selection.layer, card.n_layers - 1)),
            "head": str(min(self.selection.head, card.n_heads - 1)),
            "model": card.id,
            "n_heads": str(card.n_heads),
            "d_model": str(card.d_model),
            "n_words": str(len(sentence.words)),
            "n_tokens": str(len(sentence.tokens)),
            "first_word": texts[0],
            "second_word": texts[min(1, len(texts) - 1)],
            "guess": self.labels.get(given or "", ""),
            **self.question.values,
        }

    def answer_placeholders(self, given: str | None) -> dict[str, str]:
        """Return the values for braces in texts that appear with the answer."""
        right = " or ".join(self.labels[choice] for choice in self.answer.right)
        return self.question_placeholders(given) | {"answer": right, **self.answer.values}

    def reasons(self, given: str | None) -> list[tuple[str, dict[str, str]]]:
        """Return the authored text of each reason with the values for its braces."""
        values = self.answer_placeholders(given)
        return [
            (self.config.reasons[reason.id], values | dict(reason.values))
            for reason in self.answer.reasons
            if reason.id in self.config.reasons
        ]

    def _label(self, choice: AnswerChoice) -> str:
        if choice.id in self.config.labels:
            return self.config.labels[choice.id]
        return fill_text(self.config.choice, choice.values)
