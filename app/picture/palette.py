"""Every colour of the site, on pages and in exported figures.

`palette_css` writes these colours as custom properties and classes for pages, `standalone` as plain
rules for exported SVG files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.picture.colour_scale import LEVELS, SIGNED_LEVELS, heat_class, signed_heat_class
from app.picture.oklab import OKLCH, mix, to_hex

Colour = TypeVar("Colour")


@dataclass(frozen=True)
class Themed(Generic[Colour]):
    """A colour on light and on dark pages."""

    light: Colour
    dark: Colour

    def in_theme(self, theme: str) -> Colour:
        """Return the colour in one of `THEMES`."""
        return {"light": self.light, "dark": self.dark}[theme]


THEMES = ("light", "dark")

THEME_COLOURS = {
    "paper": Themed("#fbfaf7", "#14161a"),
    "card": Themed("#fff", "#1b1e24"),
    "ink": Themed("#1d2433", "#e8e6df"),
    "muted": Themed("#59616d", "#a8aeb9"),
    "line": Themed("#e0dcd2", "#343a45"),
    "edge": Themed("#868b95", "#717885"),
    "query": Themed("#0b5fb0", "#7db8ff"),
    "key": Themed("#9c4a08", "#ffb46b"),
    "tint": Themed("#eef5fc", "#202f44"),
    "rise-ink": Themed("#1c6b34", "#8fdba3"),
    "fall-ink": Themed("#84308a", "#dfa3e4"),
    "chart-4": Themed("#7a2f8f", "#d79bea"),
}
"""Text, surfaces and lines by role: `query` marks the row of a map, `key` its columns; `tint`
is the ground of emphasised parts."""

DARK_TEXT, LIGHT_TEXT = "#0a0c10", "#fff"

TEXT_COLOURS = {
    "on-cool": Themed(DARK_TEXT, LIGHT_TEXT),
    "on-mid": Themed(DARK_TEXT, DARK_TEXT),
    "on-hot": Themed(LIGHT_TEXT, DARK_TEXT),
}
"""Text on a cell by the class that `colour_scale.text_class` chooses."""

COLD = Themed(OKLCH(0.975, 0.005, 95), OKLCH(0.255, 0.016, 250))
"""A weight of 0, and the background of every map: nearly the colour of a card."""


@dataclass(frozen=True)
class HeatScale:
    """Colours of the weights 0.5 (`warm`) and 1 (`hot`). Lightness changes evenly from `COLD`."""

    warm: Themed[OKLCH]
    hot: Themed[OKLCH]


HEAT_SCALES = {
    "default": HeatScale(
        warm=Themed(OKLCH(0.62, 0.12, 245), OKLCH(0.585, 0.1, 195)),
        hot=Themed(OKLCH(0.27, 0.1, 275), OKLCH(0.95, 0.07, 175)),
    ),
    "cividis": HeatScale(
        warm=Themed(OKLCH(0.63, 0.02, 110), OKLCH(0.58, 0.015, 260)),
        hot=Themed(OKLCH(0.29, 0.09, 256), OKLCH(0.91, 0.15, 98)),
    ),
    "viridis": HeatScale(
        warm=Themed(OKLCH(0.615, 0.11, 175), OKLCH(0.585, 0.1, 205)),
        hot=Themed(OKLCH(0.29, 0.12, 300), OKLCH(0.91, 0.19, 112)),
    ),
    "greys": HeatScale(
        warm=Themed(OKLCH(0.62, 0, 0), OKLCH(0.59, 0, 0)),
        hot=Themed(OKLCH(0.25, 0, 0), OKLCH(0.94, 0, 0)),
    ),
}
"""Scales to choose from, readable without colour vision. Each starts near the page's background.

The default scales have other hues than the frames of rows and of largest weights."""

HEATS = tuple(HEAT_SCALES)

SIGNED_COLOURS = {
    "rise": Themed(OKLCH(0.5, 0.12, 150), OKLCH(0.815, 0.13, 150)),
    "fall": Themed(OKLCH(0.5, 0.15, 320), OKLCH(0.815, 0.12, 320)),
}
"""The largest value above 0 (green) and below 0 (purple), equally light; 0 is `COLD`."""


@dataclass(frozen=True)
class Mixture:
    """The colour of a level: `percent` of `stop` and the rest of `base`, names of `scale_stops`."""

    stop: str
    percent: int
    base: str

    def to_hex(self, stops: Mapping[str, OKLCH]) -> str:
        return to_hex(mix(stops[self.stop], self.percent / 100, stops[self.base]))


def _heat_mixture(level: int) -> Mixture:
    percent = 200 * level // LEVELS
    if percent <= 100:
        return Mixture("warm", percent, "cold")
    return Mixture("hot", percent - 100, "warm")


HEAT_MIXTURES = {heat_class(level): _heat_mixture(level) for level in range(LEVELS + 1)}
"""Colours of weights by CSS class."""

SIGNED_MIXTURES = {
    signed_heat_class(sign * level): Mixture(stop, 100 * level // SIGNED_LEVELS, "cold")
    for level in range(1, SIGNED_LEVELS + 1)
    for sign, stop in ((1, "rise"), (-1, "fall"))
}
"""Colours of values above and below 0 by CSS class."""


def scale_stops(theme: str, heat: str) -> dict[str, OKLCH]:
    """Return the colours that levels are mixed from, by name, in one theme and heat scale.

    Raises ValueError for an unknown theme or heat scale.
    """
    if theme not in THEMES or heat not in HEATS:
        raise ValueError(f"Themes are {', '.join(THEMES)}. Heat scales are {', '.join(HEATS)}.")
    scale = HEAT_SCALES[heat]
    stops = {"cold": COLD, "warm": scale.warm, "hot": scale.hot, **SIGNED_COLOURS}
    return {name: colour.in_theme(theme) for name, colour in stops.items()}
