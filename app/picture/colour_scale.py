"""Weights and signed values as levels of a colour scale, and the CSS classes of these levels.

The colours of the levels are in `palette`.
"""

import numpy as np
from numpy.typing import NDArray

LEVELS = 20
"""Weights 0 to 1 have the levels 0 (the map's background) to 20."""

SIGNED_LEVELS = 10
"""Values of either sign have the levels -10 to 10; level 0 is the map's background."""


def quantise(weights: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the nearest level, 0 to `LEVELS`, of each weight; weights are clipped to 0 to 1."""
    # np.clip gives the same result but takes three times as long on small maps.
    clipped = np.minimum(np.maximum(weights, 0), 1)
    levels: NDArray[np.intp] = np.rint(clipped * LEVELS).astype(np.intp)
    return levels


def quantise_signed(values: NDArray[np.floating], largest: float) -> NDArray[np.intp]:
    """Return the nearest level, -`SIGNED_LEVELS` to `SIGNED_LEVELS`, of each value.

    Values are clipped to -`largest` to `largest`; infinity and NaN have level 0.
    """
    # np.clip gives the same result but takes three times as long on small maps.
    clipped = np.minimum(np.maximum(values / largest, -1), 1)
    return np.where(np.isfinite(values), np.rint(clipped * SIGNED_LEVELS), 0).astype(np.intp)


def heat_class(level: int) -> str:
    """Return the CSS class of a cell with a level of `quantise`."""
    return f"heat-{level}"


def signed_heat_class(level: int) -> str:
    """Return the CSS class of a cell with a nonzero level of `quantise_signed`."""
    return f"{'rise' if level > 0 else 'fall'}-{abs(level)}"


def text_class(level: int) -> str:
    """Return the CSS class of text that is readable on a cell of this level in every theme."""
    if level <= 9:
        return "on-cool"
    return "on-mid" if level <= 11 else "on-hot"


def signed_text_class(level: int) -> str:
    """Return the CSS class of text that is readable on a cell of this signed level."""
    if abs(level) <= 5:
        return "on-cool"
    return "on-mid" if abs(level) <= 8 else "on-hot"
