"""Weights as steps of heat; the colours themselves stand in `static/heat.css`."""

import numpy as np
from numpy.typing import NDArray

LEVELS = 20
"""Heat runs from 0, the page's own background, to 20; the scale is fixed at weights 0 to 1."""


def levels(weights: NDArray[np.floating]) -> NDArray[np.intp]:
    """Each weight of 0 to 1 as the nearest of the steps 0 to 20."""
    steps: NDArray[np.intp] = np.rint(np.clip(weights, 0, 1) * LEVELS).astype(np.intp)
    return steps


def ink(level: int) -> str:
    """The class of text that is readable on a cell of this heat, on light and on dark pages."""
    if level <= 9:
        return "on-cool"
    return "on-mid" if level <= 11 else "on-hot"


def short(weight: float) -> str:
    """Two digits without the leading zero, as they stand in cells: .07, .50.

    Only an exact 0 or 1 is written so; what merely rounds to them is <.01 or >.99.
    """
    if weight in (0, 1):
        return str(int(weight))
    if weight < 0.005:
        return "<.01"
    return ">.99" if weight >= 0.995 else f"{weight:.2f}".removeprefix("0")


def plain(weight: float) -> str:
    """As `short`, with the leading zero of running text: 0.07, <0.01."""
    return short(weight).replace(".", "0.")
