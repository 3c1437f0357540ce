import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.attention import Intervention, forward, textbook, untrained_copy
from app.attention.array_tree import arrays_of
from app.attention.variants import mean_pool_kv
from tests.attention.strategies import interventions, masks, token_ids, transformers


@pytest.fixture(scope="module")
def trained_transformer(models):
    return models["headwise-h4"].transformer


def textbook_forward(model, ids, mask, intervention):
    """The pass of `forward` in textbook form: weights of each layer, and the final hidden state."""
    n = len(ids)
    allowed = np.ones((n, n), bool) if mask is None else np.broadcast_to(mask, (n, n)).copy()
    if model.causal or intervention.causal:
        for query in range(n):
            allowed[query, query + 1 :] = False
    x = model.embed(ids)
    all_weights = []
    for index, layer in enumerate(model.layers):
        W = layer.attention
        if intervention.groups:
            W = mean_pool_kv(W, intervention.groups)
        ablated = [head for at, head in intervention.ablated_heads if at == index]
        output, weights = textbook.multi_head_attention(
            layer.attention_norm(x) if model.pre_norm else x,
            W,
            allowed,
            ablated_heads=tuple(ablated),
            scaled=intervention.scaled,
        )
        all_weights.append(weights)
        if model.pre_norm:
            x = x + output
            x = x + layer.feed_forward(layer.ffn_norm(x))
        else:
            x = layer.attention_norm(x + output)
            x = layer.ffn_norm(x + layer.feed_forward(x))
    return all_weights, model.norm(x) if model.norm else x


def masks_with_diagonal(n):
    """Masks that leave every query itself, so that no row is empty even with a causal mask."""
    return masks(n).map(lambda mask: None if mask is None else mask | np.eye(n, dtype=bool))


def draw_pass(data, **options):
    """A model, token ids, and a mask and intervention for `forward`."""
    model, ids = data.draw(transformers(**options)), data.draw(token_ids)
    arguments = {
        "mask": data.draw(masks_with_diagonal(len(ids))),
        "intervention": data.draw(interventions(model)),
    }
    return model, ids, arguments


def recomputed_weights(forward_pass, layer):
    """The weights of the layer's trace, which otherwise reuses those of the pass."""
    trace = forward_pass.trace(layer)
    return trace.with_input(trace.X).weights


def assert_same_pass(first, second):
    pairs = zip(first.arrays, second.arrays, strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)
    assert (first.hidden is None) == (second.hidden is None)


@given(st.data())
def test_a_pass_agrees_with_the_textbook_form_for_every_model_mask_and_intervention(data):
    model, ids, arguments = draw_pass(data)
    weights, hidden = textbook_forward(model, ids, **arguments)
    forward_pass = forward(model, ids, **arguments)
    for ours, expected in zip(forward_pass.weights, weights, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)
    np.testing.assert_allclose(forward_pass.hidden, hidden, rtol=1e-5, atol=1e-5)
    for layer, expected in enumerate(weights):
        np.testing.assert_allclose(recomputed_weights(forward_pass, layer), expected, atol=1e-6)


@given(st.data())
def test_an_extended_pass_is_the_pass_computed_at_once(data):
    model, ids, arguments = draw_pass(data, min_layers=2)
    last_layers = st.sampled_from([*range(len(model.layers)), None])
    first, last = data.draw(last_layers), data.draw(last_layers)
    start = forward(model, ids, last_layer=first, **arguments)
    at_once = forward(model, ids, last_layer=last, **arguments)
    extended = start.extend(last)
    if start.reaches(last):
        assert extended is start
    else:
        assert_same_pass(extended, at_once)
    assert start.reaches(last) == (first is None or (last is not None and last <= first))


@given(st.data())
def test_a_pass_that_stops_early_has_the_weights_of_the_whole_pass(data):
    model, ids, arguments = draw_pass(data)
    whole = forward(model, ids, **arguments)
    for last_layer in range(len(model.layers)):
        weights = forward(model, ids, last_layer=last_layer, **arguments).weights
        pairs = zip(weights, whole.weights[: last_layer + 1], strict=True)
        assert all(np.array_equal(early, late) for early, late in pairs)


@given(st.data())
def test_a_pass_changes_no_weight_of_the_model(data):
    model, ids, arguments = draw_pass(data)
    before = [array.copy() for array in arrays_of(model)]
    forward(model, ids, **arguments)
    pairs = zip(arrays_of(model), before, strict=True)
    assert all(np.array_equal(array, copy) for array, copy in pairs)


@given(st.data())
def test_the_trace_of_a_layer_continues_the_pass(data):
    """The output of a traced layer leads to the input of the next layer."""
    model, ids, arguments = draw_pass(data, min_layers=2)
    forward_pass = forward(model, ids, **arguments)
    layer, x = model.layers[0], model.embed(ids)
    x = x + forward_pass.trace(0).output
    if model.pre_norm:
        x = x + layer.feed_forward(layer.ffn_norm(x))
        X = model.layers[1].attention_norm(x)
    else:
        x = layer.attention_norm(x)
        X = layer.ffn_norm(x + layer.feed_forward(x))
    np.testing.assert_allclose(forward_pass.attention_inputs[1], X, rtol=1e-5, atol=1e-5)


@given(st.data())
def test_the_size_of_a_pass_counts_every_array_once(data):
    model, ids, arguments = draw_pass(data)
    last_layer = data.draw(st.sampled_from([*range(len(model.layers)), None]))
    each = forward(model, ids, last_layer=last_layer, **arguments)
    fields = [*each.attention_inputs, *each.weights, each.residual, each.hidden]
    distinct = {id(array): array for array in fields if array is not None}
    assert {id(array) for array in each.arrays} == set(distinct)
    assert each.nbytes == sum(array.nbytes for array in distinct.values())


headwise_ids = st.lists(st.integers(0, 8191), min_size=1, max_size=48)


@given(headwise_ids)
def test_every_row_of_every_layer_sums_to_one(trained_transformer, ids):
    for weights in forward(trained_transformer, ids).weights:
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)


@given(headwise_ids)
def test_stopping_early_gives_the_same_maps(trained_transformer, ids):
    full_pass = forward(trained_transformer, ids)
    first = forward(trained_transformer, ids, last_layer=0)
    last = forward(trained_transformer, ids, last_layer=1)
    assert first.hidden is None
    assert len(first.weights) == 1
    np.testing.assert_array_equal(first.weights[0], full_pass.weights[0])
    np.testing.assert_array_equal(last.weights[1], full_pass.weights[1])


@given(headwise_ids)
def test_the_trace_of_a_layer_shows_the_maps_of_the_pass(trained_transformer, ids):
    full_pass = forward(trained_transformer, ids, intervention=Intervention(causal=True))
    for layer in (0, 1):
        assert full_pass.trace(layer).weights is full_pass.weights[layer]
        np.testing.assert_allclose(
            recomputed_weights(full_pass, layer), full_pass.weights[layer], atol=1e-5
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


@pytest.mark.parametrize("seed", [0, 7])
def test_random_weights_are_an_intervention_too(trained_transformer, seed):
    ids = [10, 20, 30]
    random_pass = forward(trained_transformer, ids, intervention=Intervention(random_seed=seed))
    untrained = forward(untrained_copy(trained_transformer, seed), ids)
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
    np.testing.assert_allclose(
        recomputed_weights(forward_pass, 1), forward_pass.weights[1], atol=1e-5
    )


@pytest.mark.parametrize("head", [(0, 4), (2, 0), (0, -1)])
def test_a_head_that_does_not_exist_cannot_be_ablated(trained_transformer, head):
    with pytest.raises(ValueError, match="There is no head"):
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
    with pytest.raises(ValueError, match=f"There are {count} tokens, but the model takes 1 to 48"):
        forward(trained_transformer, [5] * count)
