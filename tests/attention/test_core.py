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
from tests.attention.strategies import layers, masks, modern_layers

scores = arrays(
    np.float64,
    array_shapes(min_dims=1, max_dims=3, max_side=12),
    elements=st.floats(-1e300, 1e300, allow_nan=False),
)


@given(scores)
def test_softmax_rows_are_weights_at_any_size_of_score(drawn):
    weights = softmax(drawn)
    assert np.all((weights >= 0) & (weights <= 1))
    np.testing.assert_allclose(weights.sum(axis=-1), 1)


@given(scores, st.floats(-100, 100))
def test_softmax_does_not_change_when_a_row_is_shifted(drawn, shift):
    drawn = np.clip(drawn, -100, 100)
    np.testing.assert_allclose(softmax(drawn + shift), softmax(drawn), atol=1e-12)


def test_a_score_of_minus_infinity_gets_exactly_nothing():
    assert softmax(np.array([0.0, -np.inf, 0.0])).tolist() == [0.5, 0.0, 0.5]


def by_place(vectors, rotary):
    """Each pair of numbers, half a vector apart, turned as one complex number."""
    if rotary is None:
        return vectors
    n, d = vectors.shape
    turned = np.empty_like(vectors)
    for place in range(n):
        for j in range(d // 2):
            angle = place * rotary.base ** (-2 * j / d)
            pair = complex(vectors[place, j], vectors[place, j + d // 2])
            pair *= complex(np.cos(angle), np.sin(angle))
            turned[place, j], turned[place, j + d // 2] = pair.real, pair.imag
    return turned


@given(st.data())
def test_weights_agree_with_loops_over_every_head_query_and_key(data):
    W, X = data.draw(st.one_of(layers(), modern_layers()))
    mask = data.draw(masks(len(X)))
    output, weights = multi_head_attention(X, W, mask)
    d = W.d_head
    whole = np.broadcast_to(True if mask is None else mask, (len(X), len(X)))
    expected_heads = []
    for head in range(W.n_heads):
        own = slice(head * d, (head + 1) * d)
        read = head * W.n_kv_heads // W.n_heads
        shared = slice(read * d, (read + 1) * d)
        Q = by_place(X @ W.query[:, own] + W.query_bias[own], W.rotary)
        K = by_place(X @ W.key[:, shared] + W.key_bias[shared], W.rotary)
        V = X @ W.value[:, shared] + W.value_bias[shared]
        rows = []
        for i in range(len(X)):
            row = [Q[i] @ K[j] / d**0.5 for j in range(len(X))]
            allowed = [whole[i, j] for j in range(len(X))]
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


@pytest.mark.parametrize("rows", [[1], [0, 2]])
def test_a_fully_masked_row_is_an_error_that_names_the_row(rows):
    mask = np.ones((3, 3), bool)
    mask[rows] = False
    x = np.ones((2, 3, 4))
    with pytest.raises(FullyMaskedRowError, match=r"Allow each row") as error:
        scaled_dot_product_attention(x, x, x, mask)
    assert error.value.rows == rows


@pytest.mark.parametrize("form", [textbook, fast])
def test_a_flat_mask_that_allows_nothing_is_the_same_error(form):
    W = AttentionWeights(1, np.ones((4, 12)), np.ones(12), np.ones((4, 4)), np.ones(4))
    with pytest.raises(FullyMaskedRowError):
        form.multi_head_attention(np.ones((3, 4)), W, np.zeros(3, bool))


@pytest.mark.parametrize("form", [textbook, fast])
@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
def test_scores_that_overflow_are_an_error_and_never_nan(form):
    W = AttentionWeights(1, np.ones((4, 12)), np.ones(12), np.ones((4, 4)), np.ones(4))
    with pytest.raises(ScoresOverflowError, match="scale them"):
        form.multi_head_attention(np.full((3, 4), 1e200), W)


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


@given(layers())
def test_switching_a_head_off_takes_away_its_share_of_the_output_and_no_map(layer):
    W, X = layer
    whole, weights = multi_head_attention(X, W)
    without, same_weights = multi_head_attention(X, W, ablated_heads=(0,))
    own = slice(0, W.d_head)
    V = X @ W.value[:, own] + W.value_bias[own]
    np.testing.assert_allclose(
        whole - without, weights[0] @ V @ W.output[own], rtol=1e-6, atol=1e-6
    )
    assert np.array_equal(weights, same_weights)


@given(layers())
def test_without_the_divisor_scores_are_as_they_were_for_keys_longer_by_the_root(layer):
    W, X = layer
    Q, K = split_heads(X, W.n_heads), split_heads(X, W.n_heads)
    _, unscaled = scaled_dot_product_attention(Q, K, Q, scaled=False)
    _, scaled = scaled_dot_product_attention(Q, K * W.d_head**0.5, Q)
    np.testing.assert_allclose(unscaled, scaled, atol=1e-7)
