"""What stands between the two products of a feed-forward part, by the names of its field."""

from collections.abc import Callable
from math import pi, sqrt

import numpy as np

from app.attention.weights import Matrix

# -p of Φ(x) ≈ sigmoid(p(x)), lowest power first: x, x³, … x¹³, fitted by reweighted least squares
# so that the largest error of x Φ(x) is least; it is 7e-8 between -6 and 6.
_GELU_COEFFICIENTS = (
    -1.59576854e00,
    -7.26682982e-02,
    6.60534049e-05,
    1.10546773e-04,
    -7.94814138e-06,
    2.67566388e-07,
    -3.62785429e-09,
)

_LARGEST_EXPONENT = 80.0
"""exp of more would not fit float32; 1 / (1 + exp(80)) is 0 to every digit that counts."""


def gelu(x: Matrix) -> Matrix:
    """x Φ(x), Φ the normal distribution, to within 1e-6; the erf it needs is not in NumPy.

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
    """The approximation by tanh that GPT-2 was trained with, x (1 + tanh(y)) / 2 = x sigmoid(2 y).

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
    """x sigmoid(x). Source: Elfwing et al. 2018, "Sigmoid-weighted linear units"."""
    return _over_one_plus_exp(x, np.minimum(-x, _LARGEST_EXPONENT))


def relu(x: Matrix) -> Matrix:
    positive: Matrix = np.maximum(x, 0)
    return positive


def _over_one_plus_exp(x: Matrix, exponent: Matrix) -> Matrix:
    """x / (1 + exp(exponent)), which is x sigmoid(-exponent); the exponent is written over."""
    np.exp(exponent, out=exponent)
    exponent += 1
    return np.divide(x, exponent, out=exponent)


ACTIVATIONS: dict[str, Callable[[Matrix], Matrix]] = {
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "silu": silu,
    "relu": relu,
}
