"""Activation functions of feed-forward networks, elementwise and without changing their input."""

from collections.abc import Callable
from math import pi, sqrt

import numpy as np

from app.attention.weights import Matrix

_GELU_COEFFICIENTS = (
    -1.59576854e00,
    -7.26682982e-02,
    6.60534049e-05,
    1.10546773e-04,
    -7.94814138e-06,
    2.67566388e-07,
    -3.62785429e-09,
)
"""Coefficients of x, x³, … x¹³ in -p(x), where Φ(x) ≈ sigmoid(p(x)) for x between -6 and 6.

Fitted by reweighted least squares to minimise the largest error of x Φ(x), which is 7e-8.
"""

_MAX_EXPONENT = 80.0
"""Larger exponents overflow float32 near 88; 1 / (1 + exp(80)) is already about 2e-35."""


def gelu(x: Matrix) -> Matrix:
    """Return x Φ(x), where Φ is the standard normal distribution function, to within 1e-6.

    NumPy has no erf, so that Φ is approximated by a sigmoid of a polynomial.
    Source: Hendrycks & Gimpel 2016, "Gaussian Error Linear Units".
    """
    inner = np.clip(x, -6, 6)
    square = inner * inner
    polynomial = square * _GELU_COEFFICIENTS[-1]
    for coefficient in _GELU_COEFFICIENTS[-2:0:-1]:
        polynomial += coefficient
        polynomial *= square
    polynomial += _GELU_COEFFICIENTS[0]
    polynomial *= inner
    return _over_one_plus_exp(x, polynomial)


def gelu_tanh(x: Matrix) -> Matrix:
    """Return the tanh approximation of GELU that GPT-2 uses: x (1 + tanh(y)) / 2 = x sigmoid(2 y).

    y = √(2 / π) (x + 0.044715 x³).
    Source: Hendrycks & Gimpel 2016, section 2.
    """
    bounded = np.clip(x, -10, 10)
    inner = bounded * bounded
    inner *= 0.044715
    inner += 1
    inner *= bounded
    inner *= 2 * sqrt(2 / pi)
    np.negative(inner, out=inner)
    return _over_one_plus_exp(x, inner)


def silu(x: Matrix) -> Matrix:
    """Return x sigmoid(x). Source: Elfwing et al. 2018, "Sigmoid-weighted linear units"."""
    return _over_one_plus_exp(x, np.minimum(-x, _MAX_EXPONENT))


def relu(x: Matrix) -> Matrix:
    """Return the maximum of x and 0."""
    positive: Matrix = np.maximum(x, 0)
    return positive


def _over_one_plus_exp(x: Matrix, exponent: Matrix) -> Matrix:
    """Return x / (1 + exp(exponent)) = x sigmoid(-exponent); overwrites `exponent`."""
    np.exp(exponent, out=exponent)
    exponent += 1
    return np.divide(x, exponent, out=exponent)


ACTIVATIONS: dict[str, Callable[[Matrix], Matrix]] = {
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "silu": silu,
    "relu": relu,
}
"""Activation functions by the name that `Layer` and `LMHead` give."""
