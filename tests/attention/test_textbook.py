import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from app.attention import (
    AttentionWeights,
    FullyMaskedRowError,
    ScoresOverflowError,
    causal_mask,
    fast,
    merge_heads,
    multi_head_attention,
    scaled_dot_product_attention,
    softmax,
    split_heads,
    textbook,
)
from tests.attention.loops import rotary_by_loops
from tests.attention.strategies import layers, masks, modern_layers

scores = arrays(
    np.float64,
    array_shapes(min_dims=1, max_dims=3, max_side=12),
    elements=st.floats(-1e300, 1e300, allow_nan=False),
)


@given(scores)
def test_softmax_rows_are_weights_at_any_size_of_score(values):
    weights = softmax(values)
    assert np.all((weights >= 0) & (weights <= 1))
    np.testing.assert_allclose(weights.sum(axis=-1), 1)


@given(scores, st.floats(-100, 100))
def test_softmax_does_not_change_when_a_row_is_shifted(values, shift):
    values = np.clip(values, -100, 100)
    np.testing.assert_allclose(softmax(values + shift), softmax(values), atol=1e-12)


def test_a_score_of_minus_infinity_has_weight_zero():
    assert softmax(np.array([0.0, -np.inf, 0.0])).tolist() == [0.5, 0.0, 0.5]


@given(st.data())
def test_weights_agree_with_loops_over_every_head_query_and_key(data):
    W, X = data.draw(st.one_of(layers(), modern_layers()))
    mask = data.draw(masks(len(X)))
    output, weights = multi_head_attention(X, W, mask)
    d = W.d_head
    full_mask = np.broadcast_to(True if mask is None else mask, (len(X), len(X)))
    expected_heads = []
    for head in range(W.n_heads):
        head_columns = slice(head * d, (head + 1) * d)
        kv_head = head * W.n_kv_heads // W.n_heads
        kv_columns = slice(kv_head * d, (kv_head + 1) * d)
        Q = rotary_by_loops(X @ W.query[:, head_columns] + W.query_bias[head_columns], W.rotary)
        K = rotary_by_loops(X @ W.key[:, kv_columns] + W.key_bias[kv_columns], W.rotary)
        V = X @ W.value[:, kv_columns] + W.value_bias[kv_columns]
        rows = []
        for i in range(len(X)):
            row = [Q[i] @ K[j] / d**0.5 for j in range(len(X))]
            allowed = [full_mask[i, j] for j in range(len(X))]
            largest = max(s for s, ok in zip(row, allowed, strict=True) if ok)
            powers = [
                np.exp(s - largest) if ok else 0.0 for s, ok in zip(row, allowed, strict=True)
            ]
            rows.append([power / sum(powers) for power in powers])
        np.testing.assert_allclose(weights[head], rows, atol=1e-9)
        expected_heads.append(np.array(rows) @ V)
    expected = np.concatenate(expected_heads, axis=1) @ W.output + W.output_bias
    np.testing.assert_allclose(output, expected, rtol=1e-7, atol=1e-7)


@given(st.data())
def test_every_row_of_every_head_sums_to_one(data):
    W, X = data.draw(layers())
    _, weights = multi_head_attention(X, W, data.draw(masks(len(X))))
    np.testing.assert_allclose(weights.sum(axis=-1), 1)


@given(layers())
def test_a_causal_mask_hides_the_future_exactly(layer):
    W, X = layer
    _, weights = multi_head_attention(X, W, causal_mask(len(X)))
    assert np.all(np.triu(weights, k=1) == 0)


def test_a_causal_mask_allows_a_query_its_own_key_and_earlier_ones():
    assert causal_mask(3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


@pytest.mark.parametrize("rows", [[1], [0, 2]])
def test_a_fully_masked_row_is_an_error_that_names_the_row(rows):
    mask = np.ones((3, 3), bool)
    mask[rows] = False
    x = np.ones((2, 3, 4))
    with pytest.raises(FullyMaskedRowError, match=r"Allow each row") as error:
        scaled_dot_product_attention(x, x, x, mask)
    assert error.value.rows == rows


@pytest.mark.parametrize("implementation", [textbook, fast])
def test_a_flat_mask_that_allows_nothing_is_the_same_error(implementation):
    W = AttentionWeights(1, np.ones((4, 12)), np.ones(12), np.ones((4, 4)), np.ones(4))
    with pytest.raises(FullyMaskedRowError):
        implementation.multi_head_attention(np.ones((3, 4)), W, np.zeros(3, bool))


@pytest.mark.parametrize("implementation", [textbook, fast])
@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
def test_scores_that_overflow_are_an_error_and_never_nan(implementation):
    W = AttentionWeights(1, np.ones((4, 12)), np.ones(12), np.ones((4, 4)), np.ones(4))
    with pytest.raises(ScoresOverflowError, match="scale them"):
        implementation.multi_head_attention(np.full((3, 4), 1e200), W)


@given(layers())
def test_merging_heads_undoes_splitting_them(layer):
    W, X = layer
    assert np.array_equal(merge_heads(split_heads(X, W.n_heads)), X)


def test_splitting_gives_each_head_its_own_columns_of_every_token():
    x = np.arange(12).reshape(2, 6)
    assert split_heads(x, 3).tolist() == [[[0, 1], [6, 7]], [[2, 3], [8, 9]], [[4, 5], [10, 11]]]


def test_a_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="6 is not a multiple of 4"):
        split_heads(np.ones((2, 6)), 4)


@given(st.data())
def test_ablating_heads_removes_their_contributions_and_changes_no_map(data):
    W, X = data.draw(layers())
    ablated = tuple(data.draw(st.sets(st.integers(0, W.n_heads - 1))))
    full_output, weights = multi_head_attention(X, W)
    ablated_output, same_weights = multi_head_attention(X, W, ablated_heads=ablated)
    removed = np.zeros_like(full_output)
    for head in ablated:
        columns = slice(head * W.d_head, (head + 1) * W.d_head)
        V = X @ W.value[:, columns] + W.value_bias[columns]
        removed += weights[head] @ V @ W.output[columns]
    np.testing.assert_allclose(full_output - ablated_output, removed, rtol=1e-6, atol=1e-6)
    assert np.array_equal(weights, same_weights)


@given(layers())
def test_unscaled_scores_equal_scaled_scores_of_keys_times_sqrt_d_head(layer):
    W, X = layer
    Q, K = split_heads(X, W.n_heads), split_heads(X, W.n_heads)
    _, unscaled = scaled_dot_product_attention(Q, K, Q, scaled=False)
    _, scaled = scaled_dot_product_attention(Q, K * W.d_head**0.5, Q)
    np.testing.assert_allclose(unscaled, scaled, atol=1e-7)
