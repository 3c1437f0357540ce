import numpy as np
from hypothesis import given

from app.attention.array_tree import arrays_of, map_arrays
from tests.attention.strategies import transformers


def expected_arrays(model):
    """Every array of a model, field by field; None where an optional one is missing."""

    def norm(each):
        return [each.gain, getattr(each, "bias", None)] if each else []

    def linear(each):
        return [each.weight, each.bias] if each else []

    yield from (model.token_embedding, model.position_embedding)
    for layer in model.layers:
        W = layer.attention
        yield from norm(layer.attention_norm)
        yield from (W.qkv, W.qkv_bias, W.output, W.output_bias)
        yield from norm(layer.ffn_norm)
        for each in (layer.ffn_hidden, layer.ffn_output, layer.ffn_gate):
            yield from linear(each)
    yield from norm(model.norm)
    if head := model.lm_head:
        yield from (head.weight, head.bias, *linear(head.transform), *norm(head.norm))
    yield from norm(model.embedding_norm)


@given(transformers())
def test_every_array_is_found_in_the_order_of_the_fields(model):
    expected = [array for array in expected_arrays(model) if array is not None]
    pairs = zip(arrays_of(model), expected, strict=True)
    assert all(found is array for found, array in pairs)


@given(transformers())
def test_mapping_changes_every_array_and_nothing_else(model):
    doubled = map_arrays(model, lambda array: array * 2)
    pairs = zip(arrays_of(doubled), arrays_of(model), strict=True)
    assert all(np.array_equal(new, 2 * old) for new, old in pairs)
    assert (doubled.pre_norm, doubled.causal, doubled.max_tokens) == (
        model.pre_norm,
        model.causal,
        model.max_tokens,
    )
    assert doubled.layers[0].attention.rotary == model.layers[0].attention.rotary
    assert doubled.layers[0].activation == model.layers[0].activation


def test_values_that_are_no_arrays_have_no_arrays():
    assert list(arrays_of((None, 3, "text"))) == []
    assert map_arrays((None, 3, int), lambda array: array) == (None, 3, int)
