"""The prediction of a step, computed for a selection."""

from dataclasses import dataclass
from functools import cached_property

from app.lesson import PREDICTIONS, AnswerChoice, PredictionInput, PredictionResult, Selection
from app.lesson.markdown import fill_text
from app.lesson.schema import Prediction
from app.models import Model, Registry


@dataclass(frozen=True)
class StepPrediction:
    """The question that a step asks about a selection; the answer is computed when first needed."""

    config: Prediction
    selection: Selection
    models: Registry

    @property
    def model(self) -> Model:
        """The model that the question is about, which may be another than the selected one."""
        return self.models.model_for_prediction(self.config.model, self.selection.model)

    @cached_property
    def result(self) -> PredictionResult:
        """The choices and the right answers."""
        selection = self.selection.with_model(self.model)
        prediction_type = PREDICTIONS[self.config.computed_by]
        return prediction_type.compute(PredictionInput(selection, self.config.options))

    @cached_property
    def labels(self) -> dict[str, str]:
        """The text of each choice's button, by the choice's id."""
        return {choice.id: self._label(choice) for choice in self.result.choices}

    def placeholders(self, given: str | None) -> dict[str, str]:
        """Return the values for braces in the author's texts; `given` is the learner's answer."""
        sentence, card = self.selection.sentence, self.model.card
        return {
            "word": sentence.words[self.selection.word].text,
            "layer": str(self.selection.layer),
            "head": str(min(self.selection.head, card.n_heads - 1)),
            "model": card.id,
            "n_heads": str(card.n_heads),
            "d_model": str(card.d_model),
            "n_words": str(len(sentence.words)),
            "n_tokens": str(len(sentence.tokens)),
            "answer": " or ".join(self.labels[answer] for answer in self.result.answers),
            "guess": self.labels.get(given or "", ""),
            **self.result.values,
        }

    def _label(self, choice: AnswerChoice) -> str:
        if choice.id in self.config.labels:
            return self.config.labels[choice.id]
        return fill_text(self.config.choice, choice.values)
