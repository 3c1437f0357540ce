"""Numbers as short text, with a true minus sign (U+2212)."""

from math import inf

import numpy as np


def format_cell(weight: float) -> str:
    """Return a weight with two digits and no leading zero, as in cells of a map: .07, .50.

    Only exact 0 and 1 are written as 0 and 1; weights that round to them are <.01 and >.99.
    """
    if weight in (0, 1):
        return str(int(weight))
    if weight < 0.005:
        return "<.01"
    return ">.99" if weight >= 0.995 else f"{weight:.2f}".removeprefix("0")


def format_weight(weight: float) -> str:
    """Return a weight as `format_cell` does, but with the leading zero: 0.07, <0.01."""
    return format_cell(weight).replace(".", "0.")


def format_signed_cell(value: float) -> str:
    """Return a value of any sign with two or three digits: .05, −3.1, 12, −∞.

    Values that round to 0 are written as 0.
    """
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
    """Return a value of any size with three significant digits: 12.3, −0.041, 0."""
    if value == 0:
        return "0"
    text = np.format_float_positional(abs(value), precision=3, unique=False, fractional=False)
    return f"{'−' if value < 0 else ''}{text.removesuffix('.')}"


def format_signed(value: float) -> str:
    """Return a value with its sign and two decimals: +1.20, −0.03; without a sign if it is 0.00."""
    rounded = f"{abs(value):.2f}"
    if float(rounded) == 0:
        return rounded
    return f"{'+' if value > 0 else '−'}{rounded}"
