import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.attention import Intervention, forward, untrained_copy


@pytest.fixture(scope="module")
def trained_transformer(models):
    return models["headwise-h4"].transformer


ids = st.lists(st.integers(0, 8191), min_size=1, max_size=48)


@given(ids)
def test_every_row_of_every_layer_sums_to_one(trained_transformer, token_ids):
    for weights in forward(trained_transformer, token_ids).weights:
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)


@given(ids)
def test_stopping_early_gives_the_same_maps(trained_transformer, token_ids):
    full_pass = forward(trained_transformer, token_ids)
    first = forward(trained_transformer, token_ids, last_layer=0)
    last = forward(trained_transformer, token_ids, last_layer=1)
    assert first.hidden is None
    assert len(first.weights) == 1
    np.testing.assert_array_equal(first.weights[0], full_pass.weights[0])
    np.testing.assert_array_equal(last.weights[1], full_pass.weights[1])


@given(ids)
def test_the_trace_of_a_layer_shows_the_maps_of_the_pass(trained_transformer, token_ids):
    full_pass = forward(trained_transformer, token_ids, intervention=Intervention(causal=True))
    for layer in (0, 1):
        np.testing.assert_allclose(
            full_pass.trace(layer).weights, full_pass.weights[layer], atol=1e-5
        )


def test_a_causal_pass_gives_a_token_the_same_maps_whatever_follows(trained_transformer):
    causal = Intervention(causal=True)
    short = forward(trained_transformer, [10, 20, 30], intervention=causal)
    long = forward(trained_transformer, [10, 20, 30, 40, 50], intervention=causal)
    np.testing.assert_allclose(short.weights[1], long.weights[1][:, :3, :3], atol=1e-6)


def test_ablating_a_head_in_layer_0_changes_layer_1_and_not_layer_0(trained_transformer):
    off = Intervention(ablated_heads=frozenset({(0, 2)}))
    full_pass, without = (
        forward(trained_transformer, [10, 20, 30]),
        forward(trained_transformer, [10, 20, 30], intervention=off),
    )
    np.testing.assert_array_equal(full_pass.weights[0], without.weights[0])
    assert np.abs(full_pass.weights[1] - without.weights[1]).max() > 1e-3


def test_without_the_divisor_rows_are_sharper(trained_transformer):
    full_pass = forward(trained_transformer, [10, 20, 30], last_layer=0)
    sharper = forward(
        trained_transformer, [10, 20, 30], last_layer=0, intervention=Intervention(scaled=False)
    )
    assert np.all(sharper.weights[0].max(axis=-1) >= full_pass.weights[0].max(axis=-1))


def test_an_untrained_copy_has_the_same_shapes_and_depends_on_the_seed(trained_transformer):
    untrained, same_seed, other_seed = (
        untrained_copy(trained_transformer, 1),
        untrained_copy(trained_transformer, 1),
        untrained_copy(trained_transformer, 2),
    )
    assert untrained.token_embedding.shape == trained_transformer.token_embedding.shape
    assert np.array_equal(untrained.layers[1].attention.qkv, same_seed.layers[1].attention.qkv)
    assert not np.array_equal(untrained.layers[1].attention.qkv, other_seed.layers[1].attention.qkv)
    assert not np.array_equal(untrained.token_embedding, trained_transformer.token_embedding)

    assert abs(untrained.layers[0].attention.qkv.std() - 0.02) < 0.001
    assert np.all(untrained.norm.gain == 1)
    assert np.all(untrained.layers[0].ffn_hidden.bias == 0)


def test_random_weights_are_an_intervention_too(trained_transformer):
    ids = [10, 20, 30]
    random_pass = forward(trained_transformer, ids, intervention=Intervention(random_seed=7))
    untrained = forward(untrained_copy(trained_transformer, 7), ids)
    assert all(
        np.array_equal(a, b) for a, b in zip(random_pass.weights, untrained.weights, strict=True)
    )


def test_a_mask_applies_in_every_layer_and_combines_with_the_causal_one(trained_transformer):
    mask = np.ones((4, 4), bool)
    mask[:, 1] = False
    forward_pass = forward(
        trained_transformer, [9, 8, 7, 6], mask=mask, intervention=Intervention(causal=True)
    )
    for weights in forward_pass.weights:
        assert np.all(weights[:, :, 1] == 0)
        assert np.all(np.triu(weights, k=1) == 0)
    np.testing.assert_allclose(forward_pass.trace(1).weights, forward_pass.weights[1], atol=1e-5)


@pytest.mark.parametrize("head", [(0, 4), (2, 0), (0, -1)])
def test_a_head_that_does_not_exist_cannot_be_ablated(trained_transformer, head):
    with pytest.raises(ValueError, match="there is no head"):
        forward(
            trained_transformer, [1, 2], intervention=Intervention(ablated_heads=frozenset({head}))
        )


def test_the_trace_reflects_ablated_heads_and_missing_scaling(trained_transformer):
    intervention = Intervention(ablated_heads=frozenset({(0, 1)}), scaled=False)
    trace = forward(trained_transformer, [10, 20, 30], intervention=intervention).trace(0)
    assert np.all(trace.head_outputs[1] == 0)
    assert np.array_equal(trace.scaled, trace.scores)


@pytest.mark.parametrize("count", [0, 49])
def test_no_token_and_too_many_are_refused(trained_transformer, count):
    with pytest.raises(ValueError, match=f"{count} tokens; the model takes 1 to 48"):
        forward(trained_transformer, [5] * count)
