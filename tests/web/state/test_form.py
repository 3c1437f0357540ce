"""What an edit means, rule by rule; see the docstring of `app.web.state.form`."""

from dataclasses import replace

import pytest

from app.lesson import PREDICTIONS
from app.lesson.schema import Prediction
from app.web.state.form import (
    hidden_fields,
    is_refused,
    normalise_form,
    previous_controls,
    previous_selection,
    without_fixed,
)
from app.web.state.query_params import Problem
from app.web.state.versions import PinnedVersion
from app.web.state.view import parse_view
from tests.web.state.test_links import DEFAULTS, LAB

FORM = {
    "text": "a b",
    "model": "headwise-h4",
    "layer": "0",
    "head": "2",
    "word": "1",
    "cell": "1.0",
    "predict": "2",
}
PREVIOUS = {f"was_{name}": FORM[name] for name in ("text", "model", "layer", "head", "word")}
PREVIOUS["was_hide"] = ""


def prediction(computed_by="distinct_top_words", model="headwise-h8"):
    texts = dict.fromkeys(("question", "right", "wrong", "reveal"), "text")
    return Prediction(computed_by=computed_by, model=model, declared="1", **texts)


def query_after(models, step_prediction=None, **changes):
    """Return the query after changes of the form; None leaves a field out."""
    form = {name: value for name, value in (FORM | PREVIOUS | changes).items() if value is not None}
    return normalise_form(form, step_prediction or prediction(), models, models["headwise-h4"])


def test_an_unchanged_form_asks_for_the_same_view(models):
    assert query_after(models, edit="1", embed="1", task="abc") == FORM


def test_a_changed_value_changes_nothing_else(models):
    assert query_after(models, head="3") == FORM | {"head": "3"}


def test_a_press_on_a_head_selects_it_and_keeps_it_in_view(models):
    assert query_after(models, focus="0") == FORM | {"head": "0", "lock": "1"}


def test_a_press_on_a_head_of_another_layer_selects_both(models):
    expected = FORM | {"layer": "1", "head": "3"}
    del expected["predict"]
    assert query_after(models, at="1.3") == expected


def test_a_press_on_an_answer_commits_to_it_and_selects_the_model_that_it_is_about(models):
    expected = FORM | {"predict": "3", "model": "headwise-h8"}
    assert query_after(models, commit="3") == expected
    own_model = prediction(model=None)
    assert query_after(models, own_model, commit="3") == FORM | {"predict": "3"}


@pytest.mark.parametrize("computed_by", PREDICTIONS)
@pytest.mark.parametrize(
    ("name", "value"), [("text", "a c"), ("layer", "1"), ("head", "3"), ("word", "0")]
)
@pytest.mark.parametrize("commit", [None, "3"])
def test_a_prediction_is_dropped_exactly_if_something_that_it_depends_on_changed(
    models, computed_by, name, value, commit
):
    query = query_after(models, prediction(computed_by), commit=commit, **{name: value})
    depends = name in PREDICTIONS[computed_by].depends_on
    assert query.get("predict") == (None if depends else commit or "2")


def test_a_press_on_a_head_counts_as_a_change_of_layer_and_head(models):
    largest_column = prediction("largest_column")
    assert query_after(models, largest_column, at="0.2")["predict"] == "2"
    assert "predict" not in query_after(models, largest_column, at="1.2")
    assert "predict" not in query_after(models, largest_column, at="0.3")
    assert query_after(models, largest_column, focus="2")["predict"] == "2"
    assert "predict" not in query_after(models, largest_column, focus="3")


def test_a_prediction_is_dropped_if_the_model_that_it_is_about_changed(models):
    about_chosen_model = prediction("distinct_top_words", model=None)
    assert "predict" not in query_after(models, about_chosen_model, model="headwise-h2")
    about_h8 = prediction("distinct_top_words", model="headwise-h8")
    assert query_after(models, about_h8, model="headwise-h2")["predict"] == "2"


@pytest.mark.parametrize("name", ["text", "layer", "word"])
def test_without_the_previous_value_a_prediction_is_dropped(models, name):
    assert "predict" not in query_after(models, **{f"was_{name}": None})


def test_characters_that_a_view_replaces_are_no_change(models):
    assert query_after(models, text="a\tb")["predict"] == "2"


def test_a_cell_is_dropped_if_special_tokens_are_hidden_or_shown(models):
    assert "cell" not in query_after(models, hide="1")
    assert "cell" not in query_after(models, was_hide="1")
    assert query_after(models, hide="1", was_hide="1")["cell"] == "1.0"


def test_a_cell_is_dropped_by_a_change_of_tokenizer(checkpoint_models):
    assert query_after(checkpoint_models, model="headwise-h8")["cell"] == "1.0"
    assert "cell" not in query_after(checkpoint_models, model="bert")
    assert "cell" not in query_after(checkpoint_models, model="gpt2", was_model="bert")
    assert query_after(checkpoint_models, model="bert", was_model="bert")["cell"] == "1.0"


def test_an_unknown_model_counts_as_the_default_one(models):
    assert query_after(models, model="h3", was_model="h9")["predict"] == "2"


def parsed_view(models, **query):
    return parse_view(query, PinnedVersion("1", DEFAULTS), models, LAB)


def test_the_form_submits_everything_of_a_view(models):
    view = parsed_view(models, off="0.1", cell="1.0", minus="headwise-h1.0", hide="1").view
    view = view.replace(predict="1", check="width")
    fields = hidden_fields(view, {"v": "1"}, has_compare_menu=False)
    assert fields | {"text": view.text} == view.query_params | {"v": "1"}


def test_a_field_with_a_menu_of_its_own_is_not_hidden_too(models):
    view = parsed_view(models, minus="headwise-h1.0").view
    assert "minus" not in hidden_fields(view, {}, has_compare_menu=True)
    assert "layer" in hidden_fields(view, {}, has_compare_menu=True)


@pytest.mark.parametrize(("n_layers", "has_menu"), [(12, False), (13, True)])
def test_the_layer_of_a_deep_model_is_in_its_menu(models, n_layers, has_menu):
    view = parsed_view(models).view
    deep_model = replace(view.model, card=view.card.model_copy(update={"n_layers": n_layers}))
    deep_view = view.replace(selection=replace(view.selection, model=deep_model))
    assert ("layer" not in hidden_fields(deep_view, {}, has_compare_menu=True)) == has_menu


def test_previous_values_are_the_submitted_sentence_and_the_shown_view(models):
    parsed = parsed_view(models, text="cat " * 50, head="3", hide="1")
    assert previous_selection(parsed) == {
        "was_text": "cat " * 50,
        "was_model": "headwise-h4",
        "was_layer": "0",
        "was_head": "3",
        "was_word": "0",
    }
    assert previous_controls(parsed.view) == {"was_hide": "1"}
    assert previous_controls(parsed_view(models).view) == {"was_hide": ""}


def test_the_previous_values_are_those_that_any_prediction_depends_on(models):
    names = {name.removeprefix("was_") for name in previous_selection(parsed_view(models))}
    assert {name for each in PREDICTIONS.values() for name in each.depends_on} <= names


def test_a_link_is_refused_for_any_problem_and_an_edit_for_its_sentence(models):
    wrong_layer, too_long = parsed_view(models, layer="9"), parsed_view(models, text="cat " * 50)
    assert is_refused(wrong_layer, is_edit=False)
    assert not is_refused(wrong_layer, is_edit=True)
    assert is_refused(too_long, is_edit=True)
    assert not is_refused(parsed_view(models), is_edit=False)


def test_a_fixed_value_is_adjusted_unless_another_sentence_or_model_would_mislead():
    problems = [Problem(name, "is wrong") for name in ("text", "model", "v", "layer", "head")]
    names = ("text", "model", "v", "layer")
    assert [each.name for each in without_fixed(problems, names)] == ["text", "model", "v", "head"]
    assert without_fixed(problems, ()) == tuple(problems)
