from dataclasses import replace

import pytest

from app.lesson import PREDICTIONS, Selection
from app.lesson.predictions import COMMON_PLACEHOLDERS
from app.lesson.schema import Prediction
from app.web.state.step_prediction import StepPrediction


def prediction(models, text="The cat sat down", model_id="headwise-h4", head=2, **config):
    model = models[model_id]
    selection = Selection(model.tokenizer.sentence(text), model, layer=1, head=head, word=1)
    texts = dict.fromkeys(("question", "right", "wrong"), "text")
    config = {"computed_by": "distinct_words", "declared": "1"} | texts | config
    return StepPrediction(Prediction(**config), selection, models)


def test_a_question_is_about_the_selected_model_unless_the_step_names_one(models):
    assert prediction(models).model is models["headwise-h4"]
    assert prediction(models, model="headwise-h8").model is models["headwise-h8"]


def test_a_question_is_about_the_selected_model_if_the_named_one_has_other_tokens(
    checkpoint_models,
):
    about_h8 = prediction(checkpoint_models, model_id="bert", model="headwise-h8", head=0)
    assert about_h8.model is checkpoint_models["bert"]


def test_the_question_is_that_of_the_model_that_it_is_about(models):
    of_h2 = prediction(models, model="headwise-h2")
    assert of_h2.question.choice_ids == ["1", "2"]
    assert prediction(models).question.choice_ids == ["1", "2", "3", "4"]
    assert set(of_h2.answer.right) <= {"1", "2"}


def test_question_and_answer_are_computed_when_needed_and_once(models, monkeypatch):
    asked = prediction(models)
    question, answer = asked.question, asked.answer
    monkeypatch.setattr("app.web.state.step_prediction.PREDICTIONS", {})
    assert asked.question is question
    assert asked.answer is answer


def test_asking_does_not_compute_the_answer(models, monkeypatch):
    asked = prediction(models)

    def fail(inputs):
        raise AssertionError("the answer was computed")

    monkeypatch.setitem(PREDICTIONS, "distinct_words", replace(asked.type, answer=fail))
    assert asked.labels
    assert asked.question_placeholders(None)
    assert asked.key
    with pytest.raises(AssertionError, match="was computed"):
        _ = asked.answer


def test_choices_are_labelled_in_the_authors_words(models):
    assert prediction(models).labels == {each: each for each in ("1", "2", "3", "4")}
    labelled = prediction(models, choice="{value} words", labels={"1": "one word"})
    assert labelled.labels["1"] == "one word"
    assert labelled.labels["2"] == "2 words"


def test_texts_can_name_the_view_the_answer_and_the_guess(models):
    asked = prediction(models, choice="{value} words")
    values = asked.answer_placeholders("3")
    assert set(COMMON_PLACEHOLDERS) <= set(values)
    (answer,) = asked.answer.right
    assert values["answer"] == f"{answer} words"
    assert values["guess"] == "3 words"
    assert {name: values[name] for name in ("word", "layer", "head", "model")} == {
        "word": "cat",
        "layer": "1",
        "head": "2",
        "model": "headwise-h4",
    }
    assert (values["n_heads"], values["n_words"], values["n_tokens"]) == ("4", "4", "4")


def test_texts_of_the_question_cannot_name_the_answer(models):
    values = prediction(models).question_placeholders(None)
    assert "answer" not in values
    assert set(values) >= set(COMMON_PLACEHOLDERS) - {"answer"}


@pytest.mark.parametrize("given", [None, "99"])
def test_without_a_guess_its_place_is_empty(models, given):
    assert prediction(models).answer_placeholders(given)["guess"] == ""


def test_the_head_in_texts_exists_in_the_model_that_the_question_is_about(models):
    asked = prediction(models, model="headwise-h1", head=3)
    assert asked.question_placeholders(None)["head"] == "0"


def test_reasons_are_the_authors_texts_with_the_computed_values(models):
    ids = {reason.id for reason in prediction(models).answer.reasons}
    texts = {each: f"{each}: {{word}}" for each in ids}
    reasons = prediction(models, reasons=texts).reasons("3")
    assert {text for text, _ in reasons} == set(texts.values())
    assert all(values["guess"] == "3" for _, values in reasons)
    assert prediction(models).reasons("3") == []


@pytest.mark.parametrize(
    ("computed_by", "changes", "is_same"),
    [
        ("distinct_words", {}, True),
        ("distinct_words", {"head": 1}, True),
        ("distinct_words", {"text": "The cat sat up"}, False),
        ("distinct_words", {"model_id": "headwise-h8"}, False),
        ("distinct_words", {"model_id": "headwise-h2", "model": "headwise-h4"}, True),
        ("column_total", {"head": 1}, False),
        ("best_guess", {"model_id": "headwise-h8"}, True),
    ],
)
def test_a_key_is_the_same_exactly_if_the_question_is(models, computed_by, changes, is_same):
    key = prediction(models, computed_by=computed_by).key
    assert (prediction(models, **{"computed_by": computed_by} | changes).key == key) == is_same
