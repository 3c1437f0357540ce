from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.attention import (
    FullyMaskedRowError,
    ScoresOverflowError,
    causal_mask,
    fast,
    matmul,
    softmax,
    textbook,
)
from app.attention.rope import Rotary
from tests.attention.strategies import (
    layers,
    masks,
    modern_layers,
    random_array,
    random_attention,
)


@given(st.data(), st.booleans())
def test_fast_and_textbook_agree(data, scaled):
    W, X = data.draw(st.one_of(layers(largest=30.0), modern_layers(largest=30.0)))
    mask = data.draw(masks(len(X)))
    off = tuple(data.draw(st.sets(st.integers(0, W.n_heads - 1))))
    # Scores of 1e7 and more carry rounding errors that softmax turns into whole weights.
    X = X / max(1.0, np.abs(X @ W.qkv).max() / 100)
    expected, expected_weights = textbook.multi_head_attention(
        X, W, mask, ablated_heads=off, scaled=scaled
    )
    output, weights = fast.multi_head_attention(X, W, mask, ablated_heads=off, scaled=scaled)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-6)
    np.testing.assert_allclose(output, expected, rtol=1e-6, atol=1e-6)


@given(st.data())
def test_fast_and_textbook_agree_in_float32(data):
    options = {"dtype": np.float32, "largest": 0.3}
    W, X = data.draw(st.one_of(layers(**options), modern_layers(**options)))
    mask = data.draw(masks(len(X)))
    expected, expected_weights = textbook.multi_head_attention(X, W, mask)
    output, weights = fast.multi_head_attention(X, W, mask)
    assert output.dtype == weights.dtype == np.float32
    np.testing.assert_allclose(weights, expected_weights, atol=2e-6)
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-4)


def force_max_subtraction(*, skipped):
    """Compute softmax with or without subtracting the maximum, whatever the scores are."""
    return patch.object(fast, "_needs_no_max_subtraction", return_value=skipped)


def force_processor(*, has_small_matrix_kernels):
    return patch.object(matmul, "HAS_SMALL_MATRIX_KERNELS", has_small_matrix_kernels)


def masks_by_name(n):
    flat = np.ones(n, bool)
    flat[1] = False
    return {"no mask": None, "causal": causal_mask(n), "flat": flat, "row": flat[None]}


@pytest.mark.parametrize("has_small_matrix_kernels", [True, False])
@pytest.mark.parametrize("skip_max_subtraction", [True, False])
@pytest.mark.parametrize("n_kv_heads", [1, 2, 4])
@pytest.mark.parametrize("mask", masks_by_name(2))
@pytest.mark.parametrize("rotary", [None, Rotary()])
def test_every_form_agrees_with_the_textbook(
    has_small_matrix_kernels, skip_max_subtraction, n_kv_heads, mask, rotary
):
    """At this size, products are split if the processor has small-matrix kernels."""
    n, n_heads, d_model, d_head = 12, 4, 256, 64
    rng = np.random.default_rng(0)
    W = random_attention(rng, n_heads, d_model, d_head, n_kv_heads, rotary, size=0.05)
    X, full_mask = random_array(rng, n, d_model), masks_by_name(n)[mask]
    options = {"ablated_heads": (1, 2)}
    expected = textbook.multi_head_attention(X, W, full_mask, **options)
    with (
        force_max_subtraction(skipped=skip_max_subtraction),
        force_processor(has_small_matrix_kernels=has_small_matrix_kernels),
    ):
        output, weights = fast.multi_head_attention(X, W, full_mask, **options)
    np.testing.assert_allclose(weights, expected[1], atol=1e-12)
    np.testing.assert_allclose(output, expected[0], atol=1e-10)


@pytest.mark.parametrize("skip_max_subtraction", [True, False])
@pytest.mark.parametrize("n_kv_heads", [1, 2])
def test_every_form_raises_for_a_fully_masked_row(skip_max_subtraction, n_kv_heads):
    rng = np.random.default_rng(0)
    W, X = random_attention(rng, 2, 4, 2, n_kv_heads), random_array(rng, 3, 4)
    mask = np.array([[True, True, True], [False, False, False], [True, False, False]])
    with (
        force_max_subtraction(skipped=skip_max_subtraction),
        pytest.raises(FullyMaskedRowError) as error,
    ):
        fast.multi_head_attention(X, W, mask)
    assert error.value.rows == [1]


OFFSETS = [0, 29, 29.875, 30.125, 80, 100, 10_000]


@pytest.mark.parametrize("offset", [*OFFSETS, *(-each for each in OFFSETS[1:])])
@pytest.mark.parametrize("n_kv_heads", [1, 2])
def test_float32_weights_do_not_depend_on_how_large_all_scores_are(offset, n_kv_heads):
    """Every score is `offset` plus a multiple of 1/64. In float32, exp overflows above 88."""
    rng = np.random.default_rng(0)
    query, key = np.ones((2, 3, 2), np.float32), np.ones((n_kv_heads, 5, 2), np.float32)
    query[..., 1] = rng.integers(-4, 5, (2, 3)) / 8
    key[..., 1] = rng.integers(-4, 5, (n_kv_heads, 5)) / 8
    key[..., 0] = offset
    expected = softmax(query[..., 1:] @ key[..., 1:].transpose(0, 2, 1))
    weights = fast.attention_weights(query, key)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights, expected, atol=1e-5)


@pytest.mark.parametrize("score", [np.inf, np.nan])
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_scores_that_are_no_finite_numbers_are_an_error(score):
    query, key = np.ones((1, 2, 1)), np.array([[[1.0], [score]]])
    with pytest.raises(ScoresOverflowError):
        fast.attention_weights(query, key)


extreme = st.floats(-1e150, 1e150, allow_nan=False)


@given(
    arrays(np.float64, (2, 3, 1), elements=extreme), arrays(np.float64, (2, 4, 1), elements=extreme)
)
def test_weights_stay_weights_for_scores_of_any_size(query, key):
    weights = fast.attention_weights(query, key)
    np.testing.assert_allclose(weights, softmax(query @ key.transpose(0, 2, 1)), atol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=-1), 1)


@given(st.data())
def test_both_agree_with_torch(data):
    W, X = data.draw(layers(largest=1.0))
    mask = data.draw(masks(len(X)))
    torch_layer = torch.nn.MultiheadAttention(
        W.d_model, W.n_heads, batch_first=True, dtype=torch.float64
    )
    with torch.no_grad():
        torch_layer.in_proj_weight.copy_(torch.from_numpy(W.qkv.T.copy()))
        torch_layer.in_proj_bias.copy_(torch.from_numpy(W.qkv_bias))
        torch_layer.out_proj.weight.copy_(torch.from_numpy(W.output.T.copy()))
        torch_layer.out_proj.bias.copy_(torch.from_numpy(W.output_bias))
        x = torch.from_numpy(X)[None]
        n = len(X)
        torch_mask = None if mask is None else torch.from_numpy(~np.broadcast_to(mask, (n, n)))
        output, weights = torch_layer(x, x, x, attn_mask=torch_mask, average_attn_weights=False)
    for implementation in (textbook, fast):
        our_output, our_weights = implementation.multi_head_attention(X, W, mask)
        np.testing.assert_allclose(our_weights, weights[0].numpy(), atol=1e-6)
        np.testing.assert_allclose(our_output, output[0].numpy(), rtol=1e-6, atol=1e-6)


@given(layers())
def test_a_fully_masked_row_is_an_error(layer):
    W, X = layer
    mask = np.ones((len(X), len(X)), bool)
    mask[-1] = False
    with pytest.raises(FullyMaskedRowError):
        fast.multi_head_attention(X, W, mask)


@given(st.one_of(layers(), modern_layers()))
def test_the_input_is_not_modified(layer):
    W, X = layer
    before = X.copy()
    fast.multi_head_attention(X, W)
    assert np.array_equal(X, before)
