import numpy as np
import pytest

from app.lesson import LABS
from app.picture import heatmap, signed_map, signed_thumbnail
from tests.lesson.labs.states import layout_of, make_state

perturb = LABS["nudge"].run


def test_every_head_changes_when_projected_and_one_when_sliced(models):
    project, sliced = perturb(make_state(models, "headwise-h8")).variants
    assert (project.name, project.n_changed) == ("project", 8)
    assert (sliced.name, sliced.n_changed) == ("slice", 1)
    assert [change.changed for change in sliced.changes] == [True] + [False] * 7


def test_the_difference_is_after_minus_before(models):
    state = make_state(models, "headwise-h8", head=3, word=4)
    lab = perturb(state)
    trace = state.trace
    X = trace.X.copy()
    X[4, :16] += 1
    after = trace.with_input(X).weights
    assert (lab.token, lab.amount, lab.n_inputs) == ("wooden", 1, 16)
    assert lab.before == heatmap(trace.weights[3], layout_of(state))
    assert lab.after == heatmap(after[3], layout_of(state))
    difference = after[3] - trace.weights[3]
    assert lab.difference == signed_map(difference, layout_of(state), lab.largest)
    change = lab.variants[0].changes[3]
    assert change.difference == signed_thumbnail(difference, lab.largest)
    assert change.max_change == pytest.approx(np.abs(difference).max())


def test_shapes_are_those_of_the_arrays(models):
    state = make_state(models)
    shapes = {each.stage: each.shape for each in perturb(state).shapes}
    trace = state.trace
    assert shapes["input"] == trace.X.shape
    assert shapes["one matrix for all heads"] == trace.W.query.shape
    assert shapes["projected"] == (trace.X @ trace.W.query).shape
    assert shapes["reshaped"] == trace.Q.transpose(1, 0, 2).shape
    assert shapes["transposed"] == trace.Q.shape
    assert shapes["maps"] == trace.weights.shape


def test_hidden_special_tokens_have_no_row_in_the_maps(checkpoint_models):
    hidden = {"hide_special_tokens": True}
    state = make_state(checkpoint_models, "bert", "The cat sat", word=1, controls=hidden)
    lab = perturb(state)
    assert lab.token == state.sentence.tokens[2].text
    weights = checkpoint_models["bert"].run(state.sentence).weights[0][0][1:-1, 1:-1]
    renormalised = weights / weights.sum(axis=-1, keepdims=True)
    assert lab.before == heatmap(renormalised, state.heatmap_layout)
