"""Laws of all labs."""

import re
from dataclasses import fields

import numpy as np
import pytest

from app.lesson import CONTROLS, LABS, Controls
from app.lesson.json_fields import json_fields
from app.lesson.labs.head_figure import HeadFigure
from app.lesson.labs.lab_state import LAYOUTS
from app.picture import heatmap, token_links
from tests.lesson.labs.states import make_state

UNUSUAL_TEXTS = ["cat", "cat cat cat", "zyzzyva 雪", "very " * 48]


def figures_of(result):
    """Every figure of a head in the result of a lab."""
    if isinstance(result, HeadFigure):
        return [result]
    if isinstance(result, tuple):
        return [figure for each in result for figure in figures_of(each)]
    if hasattr(result, "__dataclass_fields__"):
        return [figure for value in json_fields(result).values() for figure in figures_of(value)]
    return []


def maps_of(result):
    """The full maps in the result of a lab, of the heads that it shows, without their names."""
    maps = [figure.map for figure in figures_of(result)]
    return [re.sub('role="img" aria-label="[^"]*"', 'aria-hidden="true"', each) for each in maps]


@pytest.mark.parametrize("text", UNUSUAL_TEXTS)
@pytest.mark.parametrize("model", ["headwise-h1", "headwise-h8", "headwise-h4-random"])
@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("lab", LABS)
def test_every_lab_shows_the_weights_of_any_model_for_unusual_sentences(
    models, lab, layer, model, text
):
    state = make_state(models, model, text, lab=lab, layer=layer, word=0)
    assert state.query_word == text.split()[0]
    weights = models[model].run(state.sentence).weights[layer]
    drawn = maps_of(LABS[lab].run(state))
    expected = [heatmap(each, state.heatmap_layout) for each in weights]
    chosen = [expected[state.head]] if lab == "pipeline" else expected
    assert drawn[-len(chosen) :] == chosen


@pytest.mark.parametrize("lab", LABS)
def test_every_lab_can_draw_lines_instead_of_maps(models, lab):
    state = make_state(models, lab=lab, controls={"layout": "lines", "causal": True})
    drawn = maps_of(LABS[lab].run(state))
    lines = [token_links(each, state.axis) for each in state.maps]
    assert drawn[-1] == (lines[0] if lab == "pipeline" else lines[-1])


@pytest.mark.parametrize("lab", LABS)
def test_every_lab_obeys_controls_and_has_layouts_that_exist(lab):
    assert set(LABS[lab].controls) <= set(CONTROLS)
    assert len(set(LABS[lab].controls)) == len(LABS[lab].controls)
    assert set(LABS[lab].layouts) <= set(LAYOUTS)


def test_every_control_is_obeyed_by_some_lab():
    assert {name for lab in LABS.values() for name in lab.controls} == set(CONTROLS)
    assert len(CONTROLS) == len(fields(Controls))


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_shows_heads_in_the_layout_that_is_chosen(models, lab):
    for layout in LABS[lab].layouts:
        state = make_state(models, lab=lab, controls={"layout": layout})
        assert LABS[lab].layout_for(state) == layout


@pytest.mark.parametrize(("n", "layout"), [(4, "grid"), (16, "grid"), (17, "map"), (48, "map")])
def test_large_maps_are_not_all_shown_unless_that_is_chosen(models, n, layout):
    text = "cat " * n
    lab = LABS["side-by-side"]
    assert lab.layout_for(make_state(models, text=text)) == layout
    assert lab.layout_for(make_state(models, text=text, controls={"layout": "grid"})) == "grid"


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_gives_the_same_result_every_time(models, lab):
    first, second = (LABS[lab].run(make_state(models, lab=lab)) for _ in range(2))
    assert maps_of(first) == maps_of(second)
    numbers = [
        {name: value for name, value in json_fields(each).items() if not figures_of(value)}
        for each in (first, second)
    ]
    assert numbers[0] == numbers[1]
    assert np.isfinite([figure.mean_entropy for figure in figures_of(first)]).all()
