"""Ties, and questions about another model than the selected one."""

import numpy as np

from app.lesson import PREDICTIONS, PredictionInput
from app.lesson.predictions import Answer
from app.lesson.predictions.question import TIE_TOLERANCE, argmax_with_ties
from app.lesson.selection import Selection
from tests.lesson.naive_attention import naive_layer


def test_a_tie_has_several_answers_and_is_marked():
    assert argmax_with_ties(np.array([0.5, 0.5 + TIE_TOLERANCE / 2, 0.1])) == ("0", "1")
    assert Answer(("0", "1")).is_tie
    assert not Answer(("0",)).is_tie


def test_a_prediction_about_another_model_uses_layer_and_head_of_that_model(models):
    model = models["headwise-h8"]
    sentence = model.tokenizer.sentence("The cat sat down")
    inputs = PredictionInput(
        Selection(sentence, model, 1, 7, 0).with_model(models["headwise-h2"]), models
    )
    column = naive_layer(inputs.model, sentence, 1).weights[1][:, 0]
    answer = PREDICTIONS["column_total"].answer(inputs)
    assert answer.values["total"] == f"{column.sum():.2f}"
