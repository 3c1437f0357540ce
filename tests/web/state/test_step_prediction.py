import pytest

from app.lesson import Selection
from app.lesson.predictions import COMMON_PLACEHOLDERS
from app.lesson.schema import Prediction
from app.web.state.step_prediction import StepPrediction


def prediction(models, text="The cat sat down", model_id="headwise-h4", head=2, **config):
    model = models[model_id]
    selection = Selection(model.tokenizer.sentence(text), model, layer=1, head=head, word=1)
    texts = dict.fromkeys(("question", "right", "wrong", "reveal"), "text")
    config = {"computed_by": "distinct_top_words", "declared": "1"} | texts | config
    return StepPrediction(Prediction(**config), selection, models)


def test_a_question_is_about_the_selected_model_unless_the_step_names_one(models):
    assert prediction(models).model is models["headwise-h4"]
    assert prediction(models, model="headwise-h8").model is models["headwise-h8"]


def test_a_question_is_about_the_selected_model_if_the_named_one_has_other_tokens(
    checkpoint_models,
):
    about_h8 = prediction(checkpoint_models, model_id="bert", model="headwise-h8", head=0)
    assert about_h8.model is checkpoint_models["bert"]


def test_the_answer_is_that_of_the_model_that_the_question_is_about(models):
    of_h1 = prediction(models, model="headwise-h1")
    assert of_h1.result.choice_ids == ["1"]
    assert prediction(models).result.choice_ids == ["1", "2", "3", "4"]


def test_the_answer_is_computed_when_needed_and_once(models, monkeypatch):
    asked = prediction(models)
    result = asked.result
    monkeypatch.setattr("app.web.state.step_prediction.PREDICTIONS", {})
    assert asked.result is result


def test_choices_are_labelled_in_the_authors_words(models):
    assert prediction(models).labels == {each: each for each in ("1", "2", "3", "4")}
    labelled = prediction(models, choice="{value} words", labels={"1": "one word"})
    assert labelled.labels["1"] == "one word"
    assert labelled.labels["2"] == "2 words"


def test_texts_can_name_the_view_the_answer_and_the_guess(models):
    asked = prediction(models, choice="{value} words")
    values = asked.placeholders("3")
    assert set(COMMON_PLACEHOLDERS) <= set(values)
    (answer,) = asked.result.answers
    assert values["answer"] == f"{answer} words"
    assert values["guess"] == "3 words"
    assert {name: values[name] for name in ("word", "layer", "head", "model")} == {
        "word": "cat",
        "layer": "1",
        "head": "2",
        "model": "headwise-h4",
    }
    assert (values["n_heads"], values["n_words"], values["n_tokens"]) == ("4", "4", "4")


@pytest.mark.parametrize("given", [None, "99"])
def test_without_a_guess_its_place_is_empty(models, given):
    assert prediction(models).placeholders(given)["guess"] == ""


def test_the_head_in_texts_exists_in_the_model_that_the_question_is_about(models):
    assert prediction(models, model="headwise-h1", head=3).placeholders(None)["head"] == "0"
