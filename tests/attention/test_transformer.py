import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.attention import Intervention, forward, untrained_copy


@pytest.fixture(scope="module")
def tiny(models):
    return models["headwise-h4"].transformer


ids = st.lists(st.integers(0, 8191), min_size=1, max_size=48)


@given(ids)
def test_every_row_of_every_layer_sums_to_one(tiny, drawn):
    for weights in forward(tiny, drawn).weights:
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)


@given(ids)
def test_stopping_early_gives_the_same_maps(tiny, drawn):
    whole = forward(tiny, drawn)
    first = forward(tiny, drawn, last_layer=0)
    last = forward(tiny, drawn, last_layer=1)
    assert first.hidden is None
    assert len(first.weights) == 1
    np.testing.assert_array_equal(first.weights[0], whole.weights[0])
    np.testing.assert_array_equal(last.weights[1], whole.weights[1])


@given(ids)
def test_the_trace_of_a_layer_shows_the_maps_of_the_pass(tiny, drawn):
    whole = forward(tiny, drawn, intervention=Intervention(causal=True))
    for layer in (0, 1):
        np.testing.assert_allclose(whole.trace(layer).weights, whole.weights[layer], atol=1e-5)


def test_a_causal_pass_gives_a_token_the_same_maps_whatever_follows(tiny):
    causal = Intervention(causal=True)
    short = forward(tiny, [10, 20, 30], intervention=causal)
    long = forward(tiny, [10, 20, 30, 40, 50], intervention=causal)
    np.testing.assert_allclose(short.weights[1], long.weights[1][:, :3, :3], atol=1e-6)


def test_a_head_switched_off_in_layer_0_changes_layer_1_and_not_layer_0(tiny):
    off = Intervention(ablated_heads=frozenset({(0, 2)}))
    whole, without = forward(tiny, [10, 20, 30]), forward(tiny, [10, 20, 30], intervention=off)
    np.testing.assert_array_equal(whole.weights[0], without.weights[0])
    assert np.abs(whole.weights[1] - without.weights[1]).max() > 1e-3


def test_without_the_divisor_rows_are_sharper(tiny):
    whole = forward(tiny, [10, 20, 30], last_layer=0)
    sharper = forward(tiny, [10, 20, 30], last_layer=0, intervention=Intervention(scaled=False))
    assert np.all(sharper.weights[0].max(axis=-1) >= whole.weights[0].max(axis=-1))


def test_a_random_twin_has_the_same_shapes_and_the_seed_decides_its_numbers(tiny):
    twin, same, other = untrained_copy(tiny, 1), untrained_copy(tiny, 1), untrained_copy(tiny, 2)
    assert twin.token_embedding.shape == tiny.token_embedding.shape
    assert np.array_equal(twin.layers[1].attention.qkv, same.layers[1].attention.qkv)
    assert not np.array_equal(twin.layers[1].attention.qkv, other.layers[1].attention.qkv)
    assert not np.array_equal(twin.token_embedding, tiny.token_embedding)

    assert abs(twin.layers[0].attention.qkv.std() - 0.02) < 0.001
    assert np.all(twin.norm.gain == 1)
    assert np.all(twin.layers[0].ffn_hidden.bias == 0)


def test_random_weights_are_an_intervention_too(tiny):
    ids = [10, 20, 30]
    drawn = forward(tiny, ids, intervention=Intervention(random_seed=7))
    twin = forward(untrained_copy(tiny, 7), ids)
    assert all(np.array_equal(a, b) for a, b in zip(drawn.weights, twin.weights, strict=True))


def test_a_mask_holds_in_every_layer_and_joins_the_causal_one(tiny):
    mask = np.ones((4, 4), bool)
    mask[:, 1] = False
    both = forward(tiny, [9, 8, 7, 6], mask=mask, intervention=Intervention(causal=True))
    for weights in both.weights:
        assert np.all(weights[:, :, 1] == 0)
        assert np.all(np.triu(weights, k=1) == 0)
    np.testing.assert_allclose(both.trace(1).weights, both.weights[1], atol=1e-5)


@pytest.mark.parametrize("head", [(0, 4), (2, 0), (0, -1)])
def test_a_head_that_is_not_there_cannot_be_switched_off(tiny, head):
    with pytest.raises(ValueError, match="there is no head"):
        forward(tiny, [1, 2], intervention=Intervention(ablated_heads=frozenset({head})))


def test_the_trace_shows_what_was_switched_off_and_not_scaled(tiny):
    changed = Intervention(ablated_heads=frozenset({(0, 1)}), scaled=False)
    trace = forward(tiny, [10, 20, 30], intervention=changed).trace(0)
    assert np.all(trace.head_outputs[1] == 0)
    assert np.array_equal(trace.scaled, trace.scores)


@pytest.mark.parametrize("count", [0, 49])
def test_no_token_and_too_many_are_refused(tiny, count):
    with pytest.raises(ValueError, match=f"{count} tokens; the model takes 1 to 48"):
        forward(tiny, [5] * count)
