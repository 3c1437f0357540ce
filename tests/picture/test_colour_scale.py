import math

import numpy as np
import pytest

from app.picture.colour_scale import (
    LEVELS,
    SIGNED_LEVELS,
    heat_class,
    quantise,
    quantise_signed,
    signed_heat_class,
    signed_text_class,
    text_class,
)
from app.picture.palette import (
    HEAT_MIXTURES,
    HEATS,
    SIGNED_MIXTURES,
    TEXT_COLOURS,
    THEMES,
    scale_stops,
)


def luminance(colour):
    """Relative luminance of a hex colour, as WCAG 2.2 defines it."""
    digits = colour.removeprefix("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    channels = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_levels_run_from_0_to_20_in_even_steps():
    assert quantise(np.linspace(0, 1, LEVELS + 1)).tolist() == list(range(LEVELS + 1))
    assert quantise(np.array([-1.0, 0.024, 0.026, 2.0])).tolist() == [0, 0, 1, 20]


def test_signed_levels_run_evenly_to_both_sides_of_0():
    values = np.linspace(-3, 3, 2 * SIGNED_LEVELS + 1)
    assert quantise_signed(values, 3).tolist() == list(range(-SIGNED_LEVELS, SIGNED_LEVELS + 1))
    odd = np.array([[-9, 9, 0.04], [-math.inf, math.nan, -0.06]])
    assert quantise_signed(odd, 1).tolist() == [[-10, 10, 0], [0, 0, -1]]


def test_values_above_0_rise_and_values_below_0_fall():
    assert [signed_heat_class(level) for level in (10, 1, -1, -10)] == [
        "rise-10",
        "rise-1",
        "fall-1",
        "fall-10",
    ]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("heat", HEATS)
def test_text_is_readable_on_every_level(theme, heat):
    stops = scale_stops(theme, heat)
    for level in range(LEVELS + 1):
        cell = HEAT_MIXTURES[heat_class(level)].to_hex(stops)
        assert contrast(cell, TEXT_COLOURS[text_class(level)].in_theme(theme)) >= 4.5


# In the light theme white text on the levels 6 to 8 has less contrast: 2.7 to 4.3.
@pytest.mark.parametrize("level", [*range(-SIGNED_LEVELS, 0), *range(1, SIGNED_LEVELS + 1)])
def test_text_is_readable_on_every_signed_level_of_the_dark_theme(level):
    cell = SIGNED_MIXTURES[signed_heat_class(level)].to_hex(scale_stops("dark", "default"))
    assert contrast(cell, TEXT_COLOURS[signed_text_class(level)].dark) >= 4.5
