import numpy as np
import pytest

from app.lesson import compare
from app.picture import signed_map
from tests.lesson.labs.states import layout_of, make_state, name_of_difference


@pytest.mark.parametrize(("model", "head"), [("headwise-h1", 0), ("headwise-h8", 5)])
@pytest.mark.parametrize("layer", [0, 1])
def test_it_is_the_difference_of_two_maps(models, model, head, layer):
    state = make_state(models, layer=layer, head=2, controls={"minus": (model, head)})
    result = compare(state)
    weights = models["headwise-h4"].run(state.sentence).weights[layer][2]
    difference = weights - models[model].run(state.sentence).weights[layer][head]
    assert (result.model, result.layer, result.head) == (model, layer, head)
    assert result.max_difference == pytest.approx(np.abs(difference).max(), abs=1e-5)
    name = name_of_difference(difference, state, f"Head 2 minus head {head} of {model}")
    layout = layout_of(state)
    assert result.map == signed_map(difference, layout, result.max_difference, name=name)


def test_a_head_minus_itself_is_nothing(models):
    state = make_state(models, head=2, controls={"minus": ("headwise-h4", 2)})
    assert compare(state).max_difference == 0


@pytest.mark.parametrize(
    "controls", [{"causal": True}, {"weighted": True}, {"shuffled": True}, {"groups": 2}]
)
def test_both_heads_are_under_the_same_controls(models, controls):
    same = make_state(models, head=2, controls=controls | {"minus": ("headwise-h4", 2)})
    assert compare(same).max_difference == 0
    plain, changed = (
        compare(make_state(models, head=2, controls=more | {"minus": ("headwise-h4", 1)}))
        for more in ({}, controls)
    )
    assert plain.map != changed.map


def test_head_interventions_do_not_apply_to_another_model(models):
    state = make_state(
        models,
        layer=1,
        controls={"off": frozenset({(0, 3)}), "groups": 2, "minus": ("headwise-h1", 0)},
    )
    expected = models["headwise-h1"].run(state.sentence).weights[1][0]
    assert compare(state).max_difference == pytest.approx(
        np.abs(state.maps[0] - expected).max(), abs=1e-6
    )


def test_a_difference_leaves_out_special_tokens_that_are_hidden(checkpoint_models):
    controls = {"hide_special_tokens": True, "minus": ("bert", 1)}
    state = make_state(checkpoint_models, "bert", "The cat sat", controls=controls)
    maps = checkpoint_models["bert"].run(state.sentence).weights[0][:, 1:-1, 1:-1]
    maps = maps / maps.sum(axis=-1, keepdims=True)
    assert compare(state).max_difference == pytest.approx(np.abs(maps[0] - maps[1]).max(), abs=1e-5)


def test_nothing_is_compared_by_default(models):
    assert compare(make_state(models)) is None
