import numpy as np
import pytest
from hypothesis import given

from app.attention import AttentionWeights
from tests.attention.strategies import modern_layers


@given(modern_layers())
def test_queries_keys_and_values_are_the_columns_of_the_packed_matrix_in_this_order(layer):
    W, _ = layer
    assert np.array_equal(np.hstack([W.query, W.key, W.value]), W.qkv)
    assert np.array_equal(np.hstack([W.query_bias, W.key_bias, W.value_bias]), W.qkv_bias)
    assert W.query.shape == (W.d_model, W.n_heads * W.d_head)
    assert W.key.shape == W.value.shape == (W.d_model, W.n_kv_heads * W.d_head)
    assert W.n_kv_heads * W.group_size == W.n_heads


def weights_of(n_heads, n_kv_heads, qkv, qkv_bias, output, output_bias):
    arrays = (np.zeros(shape) for shape in (qkv, qkv_bias, output, output_bias))
    return AttentionWeights(n_heads, *arrays, n_kv_heads)


def test_every_head_has_its_own_keys_and_values_by_default():
    assert weights_of(2, 0, (6, 12), (12,), (4, 6), (6,)).n_kv_heads == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 3, (6, 12), (12,), (4, 6), (6,)), "4 rows of W_O do not divide into 3 heads"),
        ((4, 3, (6, 12), (12,), (4, 6), (6,)), "4 heads cannot share 3 sets"),
        ((2, 2, (6, 11), (12,), (4, 6), (6,)), "expected"),
        ((2, 2, (6, 12), (11,), (4, 6), (6,)), "expected"),
        ((2, 2, (6, 12), (12,), (4, 6), (5,)), "expected"),
        ((2, 1, (6, 12), (12,), (4, 6), (6,)), "expected"),
    ],
    ids=str,
)
def test_shapes_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        weights_of(*arguments)
