"""Prediction: does the head that reads the previous token keep its weight on shuffled words?"""

from dataclasses import replace

from app.attention.metrics import diagonal_mean
from app.lesson.predictions.question import (
    Answer,
    AnswerChoice,
    PredictionInput,
    PredictionType,
    Question,
)
from app.lesson.shuffle import shuffle_words

MAX_WEIGHT_CHANGE = 0.1
"""A head keeps its mean weight if that changes by no more than this."""

CHOICES = (AnswerChoice("yes", {"value": "yes"}), AnswerChoice("no", {"value": "no"}))


def answer(inputs: PredictionInput) -> Answer:
    """Compare the head's mean weight on the previous token before and after shuffling."""
    before = diagonal_mean(inputs.weights(), -1)  # (n_heads,)
    head = int(before.argmax())
    sentence = shuffle_words(inputs.sentence, inputs.model).sentence
    shuffled_input = replace(inputs, selection=replace(inputs.selection, sentence=sentence))
    after = float(diagonal_mean(shuffled_input.weights(), -1)[head])
    keeps = abs(after - float(before[head])) <= MAX_WEIGHT_CHANGE
    values = {"top": str(head), "before": f"{before[head]:.2f}", "after": f"{after:.2f}"}
    return Answer(("yes" if keeps else "no",), values)


KEEPS_PREVIOUS = PredictionType(
    ask=lambda _: Question(CHOICES),
    answer=answer,
    depends_on=("text", "layer"),
    placeholders=("top", "before", "after"),
)
