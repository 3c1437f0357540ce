import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from app.attention.activations import ACTIVATIONS, gelu

TORCH_ACTIVATIONS = {
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "relu": F.relu,
}


def test_gelu_agrees_with_torch():
    x = np.linspace(-12, 12, 4001)
    np.testing.assert_allclose(gelu(x), F.gelu(torch.from_numpy(x)).numpy(), atol=1e-7)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_agrees_with_torch_however_large_the_numbers(name):
    x = np.concatenate([np.linspace(-30, 30, 6001), [-1e4, -300, 300, 1e4]]).astype(np.float32)
    before = x.copy()
    np.testing.assert_allclose(
        ACTIVATIONS[name](x),
        TORCH_ACTIVATIONS[name](torch.from_numpy(x)).numpy(),
        rtol=1e-5,
        atol=1e-5,
    )
    assert np.array_equal(x, before)
