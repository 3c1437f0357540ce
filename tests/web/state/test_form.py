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
PREVIOUS |= {"was_hide": "", "was_cell": "1.0", "was_minus": ""}


VERSION = PinnedVersion("1", DEFAULTS)


def prediction(computed_by="distinct_words", model="headwise-h8"):
    texts = dict.fromkeys(("question", "right", "wrong"), "text")
    return Prediction(computed_by=computed_by, model=model, declared="1", **texts)


def query_after(models, step_prediction=None, **changes):
    """Return the query after changes of the form; None leaves a field out."""
    form = {name: value for name, value in (FORM | PREVIOUS | changes).items() if value is not None}
    return normalise_form(form, step_prediction or prediction(), models, VERSION)


def test_an_unchanged_form_asks_for_the_same_view(models):
    assert query_after(models, edit="1", embed="1", task="abc") == FORM


def test_a_changed_value_changes_nothing_else(models):
    assert query_after(models, head="3") == FORM | {"head": "3"}


def test_fields_that_are_no_more_are_ignored(models):
    assert query_after(models, focus="0", lock="1") == FORM


def test_a_press_on_a_head_of_another_layer_selects_both(models):
    expected = FORM | {"layer": "1", "head": "3"}
    del expected["predict"]
    assert query_after(models, at="1.3") == expected


@pytest.mark.parametrize("model", [None, "headwise-h2"])
@pytest.mark.parametrize("about", [None, "headwise-h8"])
def test_a_press_on_an_answer_commits_to_it_and_changes_nothing_else(models, model, about):
    form = {"model": model, "was_model": model or "headwise-h4"}
    before = query_after(models, prediction(model=about), **form)
    after = query_after(models, prediction(model=about), commit="3", **form)
    assert after == before | {"predict": "3"}


def test_a_model_is_chosen_by_a_press_and_kept_by_its_field(models):
    unchosen = {"model": None, "was_model": "headwise-h4"}
    assert "model" not in query_after(models, **unchosen)
    assert query_after(models, model="headwise-h4", was_model="headwise-h4") == FORM
    assert query_after(models, **unchosen | {"model": "headwise-h2"})["model"] == "headwise-h2"


def test_an_empty_model_brings_back_the_model_layer_and_head_of_the_step(models):
    query = query_after(models, model="", was_model="headwise-h8", layer="1", head="7")
    assert "model" not in query
    assert (query["layer"], query["head"]) == ("0", "2")
    assert query["word"] == FORM["word"]


def test_the_steps_own_model_keeps_a_prediction_if_nothing_differs(models):
    about_chosen = prediction(model=None)
    assert query_after(models, about_chosen, model="")["predict"] == "2"
    assert "predict" not in query_after(models, about_chosen, model="", was_model="headwise-h8")


@pytest.mark.parametrize(("computed_by", "kept"), [("best_guess", "2"), ("shared_keys", None)])
def test_another_model_keeps_a_prediction_that_compares_models(models, computed_by, kept):
    about_chosen = prediction(computed_by, model=None)
    query = query_after(models, about_chosen, model="headwise-h2", was_model="headwise-h8")
    assert query.get("predict") == kept
    assert query["model"] == "headwise-h2"


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
    about_head = prediction("column_total", model=None)
    assert query_after(models, about_head, at="0.2")["predict"] == "2"
    assert "predict" not in query_after(models, about_head, at="1.2")
    assert "predict" not in query_after(models, about_head, at="0.3")


def test_a_press_on_a_cell_explains_it_and_keeps_prediction_and_asking_word(models):
    about_head = prediction("column_total", model=None)
    same_head = {"cell": "0.1", "head": "2"}
    assert query_after(models, about_head, **same_head) == FORM | same_head | {"open": "explain"}
    other_head = query_after(models, about_head, cell="0.1", head="3")
    assert other_head["word"] == FORM["word"]
    assert "predict" not in other_head


def test_a_prediction_is_dropped_if_the_model_that_it_is_about_changed(models):
    about_chosen_model = prediction(model=None)
    assert "predict" not in query_after(models, about_chosen_model, model="headwise-h2")
    about_h8 = prediction(model="headwise-h8")
    assert query_after(models, about_h8, model="headwise-h2")["predict"] == "2"


def test_a_prediction_about_all_models_is_kept_whichever_is_chosen(models):
    about_all = prediction("best_guess", model=None)
    assert query_after(models, about_all, model="headwise-h2")["predict"] == "2"


@pytest.mark.parametrize("name", ["text", "layer", "word"])
def test_without_the_previous_value_a_prediction_is_dropped(models, name):
    assert "predict" not in query_after(models, **{f"was_{name}": None})


def test_characters_that_a_view_replaces_are_no_change(models):
    assert query_after(models, text="a\tb")["predict"] == "2"


def test_the_word_that_asks_survives_an_edit_of_the_sentence(models):
    dog = {"was_text": "My dog chased it", "was_word": "1", "word": "1"}
    assert query_after(models, text="My old dog chased it", **dog)["word"] == "2"
    assert query_after(models, text="My cat chased it", **dog)["word"] == "2"
    assert query_after(models, text="My dog chased it", **dog)["word"] == "1"


def test_a_word_pressed_while_typing_is_a_word_of_the_sentence_that_was_shown(models):
    form = {"was_text": "My dog ran", "was_word": "2", "word": "0"}
    assert query_after(models, text="Then my dog ran", **form)["word"] == "1"


def test_in_the_sentence_of_the_step_its_own_word_asks(models):
    form = {"text": DEFAULTS.text, "was_text": "Birds sing", "was_word": "0", "word": "0"}
    assert query_after(models, **form)["word"] == str(DEFAULTS.word)


@pytest.mark.parametrize("text", ["", "  "])
def test_without_a_sentence_the_word_stays(models, text):
    assert query_after(models, text=text)["word"] == FORM["word"]
    assert query_after(models, was_text=text, text="Birds sing")["word"] == "0"


@pytest.mark.parametrize(
    ("pressed", "opened"),
    [
        ({}, None),
        ({"open": "numbers"}, "numbers"),
        ({"cell": "1.0", "was_cell": "0.0"}, "explain"),
        ({"minus": "headwise-h1.0"}, "compare"),
        ({"minus": "headwise-h1.0", "was_minus": "headwise-h1.0", "open": "files"}, "files"),
        ({"cell": "", "open": "explain"}, "explain"),
    ],
)
def test_a_press_opens_the_panel_that_shows_what_it_asks_for(models, pressed, opened):
    assert query_after(models, **pressed).get("open") == opened


def test_closing_the_panel_ends_explanation_and_comparison(models):
    minus = {"minus": "headwise-h1.0", "was_minus": "headwise-h1.0"}
    query = query_after(models, open="", **minus)
    assert query == {name: value for name, value in FORM.items() if name != "cell"}


@pytest.mark.parametrize(
    ("form", "reveal"),
    [
        ({}, None),
        ({"reveal": "1"}, "1"),
        ({"was_reveal": "1"}, "1"),
        ({"was_reveal": "1", "reveal": ""}, "0"),
        ({"was_reveal": "0"}, "0"),
    ],
)
def test_what_is_revealed_stays_until_the_learner_asks_to_be_asked(models, form, reveal):
    assert query_after(models, **form).get("reveal") == reveal
    assert query_after(models, text="a c", **form).get("reveal") == reveal


def test_an_answer_to_the_check_stays_until_another_is_pressed(models):
    assert query_after(models, was_check="width")["check"] == "width"
    assert query_after(models, was_check="width", check="sum")["check"] == "sum"
    assert "check" not in query_after(models)


def test_a_cell_is_dropped_if_special_tokens_are_hidden_or_shown(models):
    assert "cell" not in query_after(models, hide="1")
    assert "cell" not in query_after(models, was_hide="1")
    assert query_after(models, hide="1", was_hide="1")["cell"] == "1.0"


def test_a_cell_is_dropped_by_a_change_of_tokenizer(checkpoint_models):
    assert query_after(checkpoint_models, model="headwise-h8")["cell"] == "1.0"
    assert "cell" not in query_after(checkpoint_models, model="bert")
    assert "cell" not in query_after(checkpoint_models, model="gpt2", was_model="bert")
    assert "cell" not in query_after(checkpoint_models, model="", was_model="bert")
    assert query_after(checkpoint_models, model="bert", was_model="bert")["cell"] == "1.0"


def test_an_unknown_model_counts_as_the_default_one(models):
    assert query_after(models, model="h3", was_model="h9")["predict"] == "2"


def parsed_view(models, **query):
    return parse_view(query, PinnedVersion("1", DEFAULTS), models, LAB)


def fields_of(parsed, *, has_lab=True):
    return hidden_fields(parsed.view, {"v": "1"}, has_lab=has_lab)


def test_the_form_submits_everything_of_a_view(models):
    query = {"off": "0.1", "cell": "1.0", "minus": "headwise-h1.0", "hide": "1", "reveal": "1"}
    parsed = parsed_view(models, model="headwise-h4", **query)
    view = parsed.view.replace(predict="1", check="width")
    fields = hidden_fields(view, {"v": "1"}, has_lab=True)
    pressed_anywhere = {"check": "width", "reveal": "1"}
    assert fields | {"text": view.text} | pressed_anywhere == view.query_params | {"v": "1"}
    previous = previous_controls(view)
    assert {name: previous[f"was_{name}"] for name in pressed_anywhere} == pressed_anywhere


def test_the_form_submits_a_model_only_if_it_was_chosen_by_hand(models):
    assert "model" not in fields_of(parsed_view(models))
    assert fields_of(parsed_view(models, model="headwise-h4"))["model"] == "headwise-h4"


def test_a_field_with_an_open_menu_is_not_hidden_too(models):
    compared = {"minus": "headwise-h1.0"}
    assert "minus" not in fields_of(parsed_view(models, **compared))
    assert "minus" in fields_of(parsed_view(models, **compared), has_lab=False)
    assert "minus" in fields_of(parsed_view(models, **compared, open="files"))
    assert "layer" in fields_of(parsed_view(models, **compared, open="change"))


@pytest.mark.parametrize(("n_layers", "has_menu"), [(12, False), (13, True)])
def test_the_layer_of_a_deep_model_is_in_its_menu(models, n_layers, has_menu):
    for panel in ("", "change"):
        view = parsed_view(models, open=panel).view
        deep_model = replace(view.model, card=view.card.model_copy(update={"n_layers": n_layers}))
        deep_view = view.replace(selection=replace(view.selection, model=deep_model))
        is_hidden = "layer" in hidden_fields(deep_view, {}, has_lab=True)
        assert is_hidden == (not has_menu or panel == "")


def test_previous_values_are_the_submitted_sentence_and_the_shown_view(models):
    parsed = parsed_view(models, text="cat " * 50, head="3", hide="1", cell="1.0")
    assert previous_selection(parsed) == {
        "was_text": "cat " * 50,
        "was_model": "headwise-h4",
        "was_layer": "0",
        "was_head": "3",
        "was_word": "47",
    }
    none = {"was_minus": "", "was_check": "", "was_reveal": ""}
    assert previous_controls(parsed.view) == {"was_hide": "1", "was_cell": "1.0"} | none
    assert previous_controls(parsed_view(models).view) == {"was_hide": "", "was_cell": ""} | none


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
