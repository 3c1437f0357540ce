import numpy as np
import pytest
from hypothesis import given

from app.attention import untrained_copy
from app.attention.array_tree import arrays_of
from app.attention.layers import LayerNorm
from tests.attention.strategies import transformers


@pytest.fixture(scope="module")
def trained_transformer(models):
    return models["headwise-h4"].transformer


def norms_of(model):
    head_norm = model.lm_head.norm if model.lm_head else None
    layer_norms = [norm for each in model.layers for norm in (each.attention_norm, each.ffn_norm)]
    return [each for each in (model.norm, model.embedding_norm, head_norm, *layer_norms) if each]


def linears_of(model):
    linears = [model.lm_head.transform] if model.lm_head else []
    for layer in model.layers:
        linears += [layer.ffn_hidden, layer.ffn_output, layer.ffn_gate]
    return [each for each in linears if each]


@given(transformers())
def test_shapes_types_and_options_are_those_of_the_model(model):
    copy = untrained_copy(model, 0)
    pairs = list(zip(arrays_of(copy), arrays_of(model), strict=True))
    assert all((new.shape, new.dtype) == (old.shape, old.dtype) for new, old in pairs)
    assert (copy.pre_norm, copy.causal) == (model.pre_norm, model.causal)
    assert copy.layers[0].attention.rotary == model.layers[0].attention.rotary


@given(transformers())
def test_norms_and_biases_are_reset(model):
    copy = untrained_copy(model, 0)
    for norm in norms_of(copy):
        assert np.all(norm.gain == 1)
        assert not isinstance(norm, LayerNorm) or np.all(norm.bias == 0)
    biases = [each.bias for each in linears_of(copy)]
    for layer in copy.layers:
        biases += [layer.attention.qkv_bias, layer.attention.output_bias]
    if copy.lm_head:
        biases.append(copy.lm_head.bias)
    assert all(np.all(bias == 0) for bias in biases if bias is not None)


@given(transformers())
def test_every_matrix_is_drawn_anew_and_none_is_drawn_like_another(model):
    copy = untrained_copy(model, 0)
    pairs = list(zip(arrays_of(copy), arrays_of(model), strict=True))
    matrices = [(new, old) for new, old in pairs if new.ndim == 2]
    assert not any(np.array_equal(new, old) for new, old in matrices)
    assert all(0 < np.abs(new).max() < 0.2 for new, _ in matrices)
    distinct = {id(new): new for new, _ in matrices}.values()
    assert len({each.tobytes() for each in distinct}) == len(distinct)


@given(transformers())
def test_a_tied_output_matrix_stays_tied(model):
    copy = untrained_copy(model, 0)
    if model.lm_head:
        was_tied = model.lm_head.weight is model.token_embedding
        assert (copy.lm_head.weight is copy.token_embedding) == was_tied


def test_a_float32_model_stays_float32(trained_transformer):
    types = {array.dtype for array in arrays_of(untrained_copy(trained_transformer, 0))}
    assert types == {np.dtype(np.float32)}


def test_matrices_have_the_standard_deviation_before_training(trained_transformer):
    untrained = untrained_copy(trained_transformer, 1)
    for matrix in (untrained.token_embedding, untrained.layers[0].attention.qkv):
        assert abs(matrix.std() - 0.02) < 0.001
        assert abs(matrix.mean()) < 0.001


def test_the_weights_depend_on_the_seed_alone(trained_transformer):
    untrained, other_seed = (untrained_copy(trained_transformer, seed) for seed in (1, 2))
    untrained_copy.cache_clear()
    same_seed = untrained_copy(trained_transformer, 1)
    assert untrained is not same_seed
    assert np.array_equal(untrained.layers[1].attention.qkv, same_seed.layers[1].attention.qkv)
    assert not np.array_equal(untrained.layers[1].attention.qkv, other_seed.layers[1].attention.qkv)
    assert not np.array_equal(untrained.token_embedding, trained_transformer.token_embedding)


def test_copies_are_cached_by_model_and_seed(models):
    first, second = (models[name].transformer for name in ("headwise-h1", "headwise-h2"))
    assert untrained_copy(first, 1) is untrained_copy(first, 1)
    assert untrained_copy(first, 1) is not untrained_copy(second, 1)
