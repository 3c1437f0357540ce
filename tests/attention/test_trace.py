import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.attention import Trace, textbook
from tests.attention.strategies import layers, masks, modern_layers


@given(st.data(), st.booleans())
def test_a_trace_equals_the_textbook_result(data, scaled):
    W, X = data.draw(st.one_of(layers(), modern_layers()))
    mask = data.draw(masks(len(X)))
    off = tuple(data.draw(st.sets(st.integers(0, W.n_heads - 1))))
    trace = Trace(X, W, mask, off, scaled)
    output, weights = textbook.multi_head_attention(X, W, mask, ablated_heads=off, scaled=scaled)
    assert np.array_equal(trace.output, output)
    assert np.array_equal(trace.weights, weights)


@given(st.one_of(layers(), modern_layers()))
def test_each_intermediate_has_the_shape_it_is_documented_with(layer):
    W, X = layer
    n, h, d, d_head = len(X), W.n_heads, W.d_model, W.d_head
    trace = Trace(X, W)
    assert trace.Q.shape == trace.K.shape == trace.V.shape == (h, n, d_head)
    assert trace.scores.shape == trace.scaled.shape == trace.masked.shape == (h, n, n)
    assert trace.weights.shape == (h, n, n)
    assert trace.head_outputs.shape == (h, n, d_head)
    assert trace.concat.shape == (n, h * d_head)
    assert trace.contributions.shape == trace.value_contributions.shape == (h, n, d)
    assert trace.output.shape == (n, d)


@given(layers())
def test_precomputed_weights_are_used_but_not_for_another_input(layer):
    W, X = layer
    precomputed = np.full((W.n_heads, len(X), len(X)), 1 / len(X))
    trace = Trace(X, W, precomputed_weights=precomputed)
    assert trace.weights is precomputed
    assert np.array_equal(trace.with_input(2 * X).weights, Trace(2 * X, W).weights)


@given(layers())
def test_intermediates_are_computed_lazily(layer):
    W, X = layer
    trace = Trace(X, W)
    inputs = {"X", "W", "mask", "ablated_heads", "divide_by_sqrt_d_head", "precomputed_weights"}
    assert set(vars(trace)) == inputs
    _ = trace.scores
    assert "weights" not in vars(trace)


@given(modern_layers())
def test_contributions_plus_bias_equal_the_output(layer):
    W, X = layer
    trace = Trace(X, W)
    np.testing.assert_allclose(
        trace.contributions.sum(axis=0) + W.output_bias, trace.output, rtol=1e-6, atol=1e-6
    )
