import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.attention import FullyMaskedRowError, fast, softmax, textbook
from tests.attention.strategies import layers, masks, modern_layers


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
