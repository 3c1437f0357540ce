import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.attention.activations import ACTIVATIONS
from app.attention.layers import Layer, LayerNorm, Linear, LMHead, RMSNorm
from tests.attention.strategies import random_array, random_attention

sizes = st.integers(0, 99), st.integers(1, 6), st.integers(2, 12)


def to_torch(array):
    return torch.from_numpy(array)


@given(*sizes)
def test_layer_norm_agrees_with_torch(seed, n, d):
    rng = np.random.default_rng(seed)
    x, gain, bias = (random_array(rng, *shape) for shape in ((n, d), (d,), (d,)))
    before = x.copy()
    expected = torch.nn.functional.layer_norm(
        to_torch(x), (d,), to_torch(gain), to_torch(bias), eps=0.1
    )
    np.testing.assert_allclose(LayerNorm(gain, bias, 0.1)(x), expected.numpy(), atol=1e-9)
    assert np.array_equal(x, before)


def test_the_default_epsilon_of_layer_norm_is_that_of_torch():
    norm = LayerNorm(np.ones(4), np.zeros(4))
    assert norm.epsilon == torch.nn.LayerNorm(4).eps


@given(*sizes)
def test_rms_norm_agrees_with_torch(seed, n, d):
    rng = np.random.default_rng(seed)
    x, gain = random_array(rng, n, d), random_array(rng, d)
    before = x.copy()
    expected = torch.nn.functional.rms_norm(to_torch(x), (d,), to_torch(gain), eps=0.1)
    np.testing.assert_allclose(RMSNorm(gain, 0.1)(x), expected.numpy(), atol=1e-9)
    assert np.array_equal(x, before)


@given(*sizes, st.integers(1, 5))
def test_linear_agrees_with_torch(seed, n, d_in, d_out):
    rng = np.random.default_rng(seed)
    x, weight, bias = (random_array(rng, *shape) for shape in ((n, d_in), (d_in, d_out), (d_out,)))
    for each in (bias, None):
        expected = torch.nn.functional.linear(
            to_torch(x), to_torch(weight.T), None if each is None else to_torch(each)
        )
        np.testing.assert_allclose(Linear(weight, each)(x), expected.numpy(), atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("has_gate", [False, True])
def test_a_gate_multiplies_the_hidden_values_and_takes_over_the_activation(activation, has_gate):
    rng = np.random.default_rng(0)
    hidden, output, gate = (
        Linear(random_array(rng, *shape), random_array(rng, shape[1]))
        for shape in ((4, 6), (6, 4), (4, 6))
    )
    norm, attention = RMSNorm(np.ones(4)), random_attention(rng, 2, 4, 2)
    layer = Layer(norm, attention, norm, hidden, output, gate if has_gate else None, activation)
    x = random_array(rng, 3, 4)
    activate = ACTIVATIONS[activation]
    inner = activate(gate(x)) * hidden(x) if has_gate else activate(hidden(x))
    np.testing.assert_allclose(layer.feed_forward(x), output(inner), atol=1e-12)


@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize("has_transform", [False, True])
@pytest.mark.parametrize("has_norm", [False, True])
def test_an_lm_head_applies_transform_activation_norm_weight_and_bias_in_this_order(
    has_bias, has_transform, has_norm
):
    rng = np.random.default_rng(0)
    weight, bias, x = random_array(rng, 9, 4), random_array(rng, 9), random_array(rng, 3, 4)
    transform = Linear(random_array(rng, 4, 4), random_array(rng, 4))
    norm = LayerNorm(random_array(rng, 4), random_array(rng, 4))
    head = LMHead(
        weight,
        bias if has_bias else None,
        transform if has_transform else None,
        "silu",
        norm if has_norm else None,
    )
    hidden = ACTIVATIONS["silu"](transform(x)) if has_transform else x
    hidden = norm(hidden) if has_norm else hidden
    expected = hidden @ weight.T + (bias if has_bias else 0)
    np.testing.assert_allclose(head(x), expected, atol=1e-12)
