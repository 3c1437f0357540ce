"""A link in prose makes sense where the lab has the control and the view can have the value."""

from dataclasses import replace

import pytest

from app.lesson import CONTROLS, LABS, Controls, Selection
from app.lesson.acting_links import FLAGS, SenselessLinkError, changed_view, lab_controls


@pytest.fixture
def selection(models):
    model = models["headwise-h4"]
    return Selection(model.tokenizer.sentence("A small dog ran"), model, 0, 1, 2)


@pytest.fixture
def change(models, selection):
    def changed(lab="pipeline", selection=selection, **params):
        return changed_view(params, selection, Controls(), LABS[lab], models)

    return changed


@pytest.mark.parametrize("lab", LABS)
def test_a_link_may_change_the_selection_and_the_controls_of_its_lab(lab):
    assert set(lab_controls(lab)) == {"text", "model", "layer", "head", "word", *LABS[lab].controls}


@pytest.mark.parametrize("lab", LABS)
def test_a_control_of_another_lab_makes_no_sense(change, lab):
    for name in {*CONTROLS, "predict", "check", "v", "nothing"} - set(lab_controls(lab)):
        with pytest.raises(SenselessLinkError, match=name):
            change(lab, **{name: "1"})


@pytest.mark.parametrize("lab", LABS)
def test_every_control_can_be_switched_off(change, lab):
    for name in LABS[lab].controls:
        change(lab, **{name: ""})


@pytest.mark.parametrize(
    ("lab", "name", "possible", "impossible"),
    [
        ("pipeline", "word", ["0", "3"], ["4", "-1", "x", "1.0", "２"]),
        ("pipeline", "head", ["0", "3"], ["4"]),
        ("pipeline", "layer", ["0", "1"], ["2"]),
        ("pipeline", "causal", ["0", "1"], ["2", "yes"]),
        ("pipeline", "cell", ["0.0", "3.3"], ["4.0", "0.4", "1"]),
        ("pipeline", "stage", ["scaled"], ["weights"]),
        ("pipeline", "open", ["explain"], ["everything"]),
        ("pipeline", "minus", ["headwise-h8.7"], ["headwise-h8.8", "headwise-h3.0", "1"]),
        ("mix", "off", ["0.1", "0.1,1.3"], ["0.4", "2.0", "1"]),
        ("sharing", "groups", ["1", "2", "4"], ["0", "3", "8"]),
        ("pipeline", "model", ["headwise-h1"], ["headwise-h3"]),
        ("pipeline", "text", ["Two words"], ["", "word " * 60]),
    ],
)
def test_a_value_makes_sense_if_the_view_can_have_it(change, lab, name, possible, impossible):
    for value in possible:
        change(lab, **{name: value})
    for value in impossible:
        with pytest.raises(SenselessLinkError):
            change(lab, **{name: value})


def test_values_are_those_of_the_view_after_the_link(change):
    change(model="headwise-h8", head="7")
    with pytest.raises(SenselessLinkError):
        change(head="7")
    change(text="One more word than four", word="4")
    with pytest.raises(SenselessLinkError):
        change(text="Two words", word="2")


def test_a_causal_model_has_no_causal_mask_to_set(change, selection, models):
    card = selection.model.card.model_copy(update={"causal": True})
    causal = replace(selection, model=replace(selection.model, card=card))
    change(causal="1")
    change(selection=causal, causal="")
    with pytest.raises(SenselessLinkError, match="causal"):
        change(selection=causal, causal="1")


def test_flags_are_the_controls_that_are_on_or_off():
    assert set(FLAGS) == {"causal", "unscaled", "weighted", "shuffled", "lock", "hide"} & set(
        CONTROLS
    )
