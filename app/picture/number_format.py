"""Weights as steps of heat; the colours themselves stand in `static/style/heat.css`."""

from math import inf

import numpy as np
from numpy.typing import NDArray

LEVELS = 20
"""Heat runs from 0, the page's own background, to 20; the scale is fixed at weights 0 to 1."""


def quantise(weights: NDArray[np.floating]) -> NDArray[np.intp]:
    """Each weight of 0 to 1 as the nearest of the steps 0 to 20."""
    # np.clip does the same at three times the cost for small maps.
    clipped = np.minimum(np.maximum(weights, 0), 1)
    steps: NDArray[np.intp] = np.rint(clipped * LEVELS).astype(np.intp)
    return steps


def text_class(level: int) -> str:
    """The class of text that is readable on a cell of this heat, on light and on dark pages."""
    if level <= 9:
        return "on-cool"
    return "on-mid" if level <= 11 else "on-hot"


def format_cell(weight: float) -> str:
    """Two digits without the leading zero, as they stand in cells: .07, .50.

    Only an exact 0 or 1 is written so; what merely rounds to them is <.01 or >.99.
    """
    if weight in (0, 1):
        return str(int(weight))
    if weight < 0.005:
        return "<.01"
    return ">.99" if weight >= 0.995 else f"{weight:.2f}".removeprefix("0")


def format_weight(weight: float) -> str:
    """As `short`, with the leading zero of running text: 0.07, <0.01."""
    return format_cell(weight).replace(".", "0.")


SIGNED_LEVELS = 10
"""Figures of either sign run over so many steps to each side of 0."""


def signed_heat_class(level: int) -> str:
    """The class of a cell above or below 0."""
    return f"{'rise' if level > 0 else 'fall'}-{abs(level)}"


def signed_text_class(level: int) -> str:
    return "on-cool" if abs(level) <= 5 else "on-hot"


def format_signed_cell(value: float) -> str:
    """Two or three digits with a true minus: .05, −3.1, 12; 0 for what rounds to it; −∞."""
    if value == -inf:
        return "−∞"
    magnitude = abs(value)
    text = f"{magnitude:.2f}".removeprefix("0") if magnitude < 0.995 else f"{magnitude:.1f}"
    if magnitude >= 9.95:
        text = f"{magnitude:.0f}"
    if float(text) == 0:
        return "0"
    return f"−{text}" if value < 0 else text


def format_number(value: float) -> str:
    """A figure of any size for running text, three digits and a true minus: 12.3, −0.041, 0."""
    if value == 0:
        return "0"
    text = np.format_float_positional(abs(value), precision=3, unique=False, fractional=False)
    return f"{'−' if value < 0 else ''}{text.removesuffix('.')}"
