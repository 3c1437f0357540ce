from dataclasses import replace

import numpy as np
import pytest

from app.lesson import LABS
from app.lesson.predictions import Mark
from app.picture import heatmap, signed_map
from tests.lesson.labs.states import layout_of, make_state, name_of_difference

perturb = LABS["nudge"].run


def test_every_head_changes_when_projected_and_one_when_sliced(models):
    project, sliced = perturb(make_state(models, "headwise-h8")).variants
    assert (project.name, project.n_changed) == ("project", 8)
    assert (sliced.name, sliced.n_changed) == ("slice", 1)
    assert [change.changed for change in sliced.changes] == [head == 4 for head in range(8)]


def test_the_difference_is_after_minus_before(models):
    state = make_state(models, "headwise-h8", head=3, word=4)
    lab = perturb(state)
    trace = state.trace
    X = trace.X.copy()
    X[4, 64:80] += 1
    after = trace.with_input(X).weights
    assert (lab.token, lab.amount, lab.first_input, lab.last_input) == ("wooden", 1, 64, 79)
    assert (lab.n_inputs, lab.sliced_head) == (16, 4)
    assert lab.heads[3].map == heatmap(trace.weights[3], layout_of(state), name=lab.heads[3].name)
    difference = after[3] - trace.weights[3]
    change = lab.projected[3]
    name = name_of_difference(difference, state, "Head 3, after minus before")
    assert change.picture == signed_map(difference, change.layout, lab.largest, name=name)
    assert change.max_change == pytest.approx(np.abs(difference).max())


def test_the_word_read_most_is_given_before_and_after(models):
    state = make_state(models, "headwise-h8", text="The cat sat down", word=2)
    trace = state.trace
    X = trace.X.copy()
    X[2, 64:80] += 1
    before, after = (trace.with_input(each).weights[:, 2] for each in (trace.X, X))
    words = ["The", "cat", "sat", "down"]
    changes = perturb(state).projected
    for change, row_before, row_after in zip(changes, before, after, strict=True):
        assert change.before.top_word.word == words[row_before.argmax()]
        assert change.top_word.word == words[row_after.argmax()]
        assert change.changes_top_word == (row_before.argmax() != row_after.argmax())
    assert [change.head for change in changes if change.changes_top_word] == [3, 4, 5, 7]


def test_every_piece_of_the_word_is_perturbed(models):
    state = make_state(models, "headwise-h8", text="the zyzzyva slept", word=1)
    pieces = state.query_tokens
    assert len(pieces) > 1
    X = state.trace.X.copy()
    X[pieces, 64:80] += 1
    after = state.trace.with_input(X).weights
    for change, weights in zip(perturb(state).projected, after, strict=True):
        np.testing.assert_array_equal(change.after.weights, weights)


@pytest.mark.parametrize(
    ("model", "head", "first", "n"),
    [("headwise-h4", 2, 64, 16), ("headwise-h2", 1, 64, 16), ("headwise-h1", 0, 0, 16)],
)
def test_the_inputs_are_the_first_of_the_slice_of_a_head_in_the_middle(
    models, model, head, first, n
):
    lab = perturb(make_state(models, model))
    assert (lab.sliced_head, lab.first_input, lab.n_inputs) == (head, first, n)
    assert [change.changed for change in lab.variants[1].changes].index(True) == head


def test_a_narrow_model_has_fewer_inputs_in_a_slice(checkpoint_models):
    state = make_state(checkpoint_models, "bert", "The cat sat", word=1)
    card, lab = state.model.card, perturb(state)
    assert lab.n_inputs == min(16, card.d_model // card.n_heads)
    assert lab.sliced.changed


def test_changes_are_left_out_until_revealed(models):
    state = make_state(models, "headwise-h8")
    hidden, shown = perturb(replace(state, is_revealed=False)), perturb(state)
    assert (hidden.variants, hidden.projected, hidden.sliced) == ((), (), None)
    assert [each.weights.tolist() for each in hidden.heads] == [
        each.weights.tolist() for each in shown.heads
    ]
    assert len(shown.projected) == 8
    assert shown.sliced.head == 4


def test_exactly_the_marked_heads_are_outlined(models):
    marks = (Mark("head", 2, model="headwise-h8"), Mark("sliced-head", 4, model="headwise-h8"))
    lab = perturb(replace(make_state(models, "headwise-h8"), marks=marks))
    assert [change.is_decisive for change in lab.projected] == [head == 2 for head in range(8)]
    assert lab.sliced.is_decisive


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
    np.testing.assert_allclose(lab.heads[0].weights, renormalised, rtol=1e-5)
    assert lab.projected[0].after.weights.shape == (3, 3)
