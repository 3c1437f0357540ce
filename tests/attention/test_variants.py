import numpy as np
import pytest

from app.attention import Trace, multi_head_attention
from app.attention.variants import (
    input_slices,
    mean_pool_kv,
    output_with_mean_map,
    perturb_tokens,
    perturbed_head,
    perturbed_inputs,
    sliced_input_attention,
)


@pytest.fixture(params=[1, 2, 4, 8])
def trace(request, models):
    model = models[f"headwise-h{request.param}"]
    return model.run(model.tokenizer.sentence("She opened the old wooden door")).trace(0)


@pytest.mark.parametrize("tokens", [[3], [1, 2]])
def test_only_inputs_of_a_slice_in_the_middle_are_perturbed(trace, tokens):
    n_heads = trace.W.n_heads
    difference = perturb_tokens(trace.X, tokens, n_heads) - trace.X
    changed = {tuple(place) for place in np.argwhere(difference).tolist()}
    first = {1: 0, 2: 64, 4: 64, 8: 64}[n_heads]
    assert changed == {(token, first + i) for token in tokens for i in range(16)}
    np.testing.assert_allclose(difference[difference != 0], 1, atol=1e-6)


@pytest.mark.parametrize(("d_model", "n_heads"), [(128, 8), (768, 12), (30, 4), (10, 3), (8, 8)])
def test_slices_cover_every_input_once_in_order(d_model, n_heads):
    slices = input_slices(d_model, n_heads)
    assert [each for one in slices for each in one] == list(range(d_model))
    assert max(map(len, slices)) - min(map(len, slices)) <= 1
    perturbed = perturbed_inputs(d_model, n_heads)
    assert set(perturbed) <= set(slices[perturbed_head(n_heads)])
    assert len(perturbed) == min(16, len(slices[perturbed_head(n_heads)]))
    assert perturbed_head(n_heads) > 0


def test_only_the_head_of_the_slice_notices_perturbed_inputs(trace):
    X = perturb_tokens(trace.X, [2], trace.W.n_heads)
    change = np.abs(sliced_input_attention(trace, X) - sliced_input_attention(trace, trace.X))
    heads = np.flatnonzero(change.max(axis=(1, 2)) > 1e-6)
    assert heads.tolist() == [perturbed_head(trace.W.n_heads)]


def test_a_sliced_head_sees_its_own_inputs_alone(trace):
    W = trace.W
    for head in range(W.n_heads):
        block = slice(head * W.d_head, (head + 1) * W.d_head)
        query = trace.X[:, block] @ W.query[block, block] + W.query_bias[block]
        key = trace.X[:, block] @ W.key[block, block] + W.key_bias[block]
        scores = np.exp(query @ key.T / np.sqrt(W.d_head))
        np.testing.assert_allclose(
            sliced_input_attention(trace, trace.X)[head],
            scores / scores.sum(1, keepdims=True),
            atol=1e-5,
        )


def test_slicing_a_single_head_changes_nothing(models):
    model = models["headwise-h1"]
    trace = model.run(model.tokenizer.sentence("The cat sat")).trace(1)
    np.testing.assert_allclose(sliced_input_attention(trace, trace.X), trace.weights, atol=1e-5)


def test_averaged_maps_give_every_head_the_same_pattern(trace):
    mean = sum(trace.weights) / len(trace.weights)
    heads = [mean @ value for value in trace.V]
    expected = np.concatenate(heads, axis=1) @ trace.W.output + trace.W.output_bias
    np.testing.assert_allclose(output_with_mean_map(trace), expected, atol=1e-5)
    if len(trace.weights) == 1:
        np.testing.assert_allclose(output_with_mean_map(trace), trace.output, atol=1e-5)


def test_pooled_heads_of_a_group_share_the_mean_of_their_keys_and_values(trace):
    W = trace.W
    for groups in (g for g in (1, 2, 4, 8) if g <= W.n_heads):
        shared = Trace(trace.X, mean_pool_kv(W, groups))
        size = W.n_heads // groups
        for head in range(W.n_heads):
            group = slice(head // size * size, head // size * size + size)
            np.testing.assert_allclose(shared.K[head], trace.K[group].mean(0), atol=1e-4)
            np.testing.assert_allclose(shared.V[head], trace.V[group].mean(0), atol=1e-4)
            np.testing.assert_allclose(shared.Q[head], trace.Q[head], atol=1e-6)


def test_as_many_groups_as_heads_changes_nothing(trace):
    same = mean_pool_kv(trace.W, trace.W.n_heads)
    np.testing.assert_allclose(same.qkv, trace.W.qkv, atol=1e-7)


@pytest.mark.parametrize("groups", [0, 3, 5, 16])
def test_heads_divide_into_equal_groups_only(models, groups):
    with pytest.raises(
        ValueError, match=f"8 sets of keys and values do not form {groups} equal groups"
    ):
        mean_pool_kv(models["headwise-h8"].transformer.layers[0].attention, groups)


def test_contributions_and_bias_add_up_to_the_output(trace):
    total = trace.contributions.sum(axis=0) + trace.W.output_bias
    output, _ = multi_head_attention(trace.X, trace.W)
    np.testing.assert_allclose(total, output, atol=1e-4)
    np.testing.assert_allclose(trace.output, output, atol=1e-4)


def test_weights_times_value_contributions_add_up_to_the_head_contributions(trace):
    for head, weights in enumerate(trace.weights):
        np.testing.assert_allclose(
            weights @ trace.value_contributions[head], trace.contributions[head], atol=1e-4
        )


def test_norm_weighted_maps_are_normalised_products_of_weight_and_norm(trace):
    for head, weights in enumerate(trace.weights):
        lengths = [
            np.sqrt(sum(x * x for x in row))
            for row in trace.value_contributions[head].astype(float)
        ]
        products = weights * np.array(lengths)
        expected = products / products.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(trace.norm_weighted[head], expected, atol=1e-5)
