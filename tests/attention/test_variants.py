import numpy as np
import pytest

from app.attention import Trace, multi_head_attention
from app.attention.variants import (
    PERTURBED_INPUTS,
    mean_pool_kv,
    output_with_mean_map,
    perturb_token,
    sliced_input_attention,
)


@pytest.fixture(params=[1, 2, 4, 8])
def trace(request, models):
    model = models[f"headwise-h{request.param}"]
    return model.run(model.tokenizer.sentence("She opened the old wooden door")).trace(0)


def test_only_the_first_inputs_of_one_token_are_perturbed(trace):
    changed = np.argwhere(perturb_token(trace.X, 3) != trace.X)
    assert {tuple(place) for place in changed} == {(3, i) for i in range(PERTURBED_INPUTS)}


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
