"""OKLCH colours, their mixtures in OKLab, and conversion to sRGB.

Source: Björn Ottosson, "A perceptual color space for image processing", 2020.
"""

from math import cos, radians, sin
from typing import NamedTuple


class OKLab(NamedTuple):
    """A colour by lightness (0 to 1) and two axes: a, green to red, and b, blue to yellow."""

    lightness: float
    a: float
    b: float


class OKLCH(NamedTuple):
    """A colour by lightness (0 to 1), chroma and hue (degrees): OKLab in polar coordinates."""

    lightness: float
    chroma: float
    hue: float

    def to_oklab(self) -> OKLab:
        angle = radians(self.hue)
        return OKLab(self.lightness, self.chroma * cos(angle), self.chroma * sin(angle))


def mix(first: OKLCH, share: float, second: OKLCH) -> OKLab:
    """Return `share` of `first` and 1 - `share` of `second`, as CSS color-mix(in oklab) does."""
    pairs = zip(first.to_oklab(), second.to_oklab(), strict=True)
    return OKLab(*(share * one + (1 - share) * other for one, other in pairs))


def to_hex(colour: OKLab) -> str:
    """Return an OKLab colour as #rrggbb, each channel clipped to the sRGB gamut."""
    lightness, a, b = colour
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _encode(min(1.0, max(0.0, c)))):02x}" for c in linear)


def _encode(channel: float) -> float:
    """Return a linear-light channel (0 to 1) with sRGB's transfer function applied."""
    return 12.92 * channel if channel <= 0.0031308 else float(1.055 * channel ** (1 / 2.4) - 0.055)
