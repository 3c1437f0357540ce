"""How often each answer is right on ordinary sentences: a question with one answer teaches none."""

from collections import Counter

import pytest

from app.lesson import PREDICTIONS, PredictionInput
from app.lesson.selection import Selection
from tests.lesson.ordinary_sentences import ORDINARY_SENTENCES
from tests.shipped import LESSONS

LARGEST_SHARE = 0.7
STEPS = [pytest.param(step, id=step.slug) for lesson in LESSONS for step in lesson.steps]


def ordinary_inputs(step, models):
    """Return the input of the step's prediction for each ordinary sentence."""
    defaults, predict = step.config.defaults, step.config.predict
    model = models[defaults.model]
    return [
        PredictionInput(
            Selection(
                model.tokenizer.sentence(sentence.text),
                model,
                defaults.layer,
                defaults.head,
                sentence.word,
            ).with_model(models[predict.model or defaults.model]),
            models,
            predict.options,
        )
        for sentence in ORDINARY_SENTENCES
    ]


@pytest.mark.parametrize("step", STEPS)
def test_no_answer_is_right_for_more_than_seven_tenths_of_ordinary_sentences(step, models):
    prediction = PREDICTIONS[step.config.predict.computed_by]
    asked = [each for each in ordinary_inputs(step, models) if prediction.ask(each).choices]
    assert len(asked) > 0.9 * len(ORDINARY_SENTENCES)
    counts = Counter(choice for each in asked for choice in prediction.answer(each).right)
    assert max(counts.values()) <= LARGEST_SHARE * len(asked), counts.most_common()


def test_ordinary_sentences_are_short_and_varied(models):
    tokenizer = models["headwise-h4"].tokenizer
    assert len({sentence.text for sentence in ORDINARY_SENTENCES}) == 60
    for sentence in ORDINARY_SENTENCES:
        words = sentence.text.split()
        assert 4 <= len(words) <= 14
        assert 0 < sentence.word < len(words) - 1
        assert [word.text for word in tokenizer.sentence(sentence.text).words] == words
