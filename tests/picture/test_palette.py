import re
from itertools import pairwise

import pytest

from app.picture.colour_scale import LEVELS, SIGNED_LEVELS, signed_text_class, text_class
from app.picture.oklab import mix, to_hex
from app.picture.palette import (
    HEAT_MIXTURES,
    HEATS,
    SIGNED_MIXTURES,
    TEXT_COLOURS,
    THEME_COLOURS,
    THEMES,
    scale_stops,
)
from app.settings import site_folder

COMBINATIONS = [(theme, heat) for theme in THEMES for heat in HEATS]


def lightness(mixture, stops):
    return mix(stops[mixture.stop], mixture.percent / 100, stops[mixture.base]).lightness


@pytest.mark.parametrize(("theme", "heat"), COMBINATIONS)
def test_a_scale_runs_from_cold_over_warm_to_hot_in_even_steps(theme, heat):
    stops = scale_stops(theme, heat)
    colours = [mixture.to_hex(stops) for mixture in HEAT_MIXTURES.values()]
    assert len(colours) == LEVELS + 1
    for name, level in (("cold", 0), ("warm", LEVELS // 2), ("hot", LEVELS)):
        assert colours[level] == to_hex(stops[name].to_oklab())
    values = [lightness(mixture, stops) for mixture in HEAT_MIXTURES.values()]
    steps = [after - before for before, after in pairwise(values)]
    assert steps[:10] == pytest.approx([steps[0]] * 10)
    assert steps[10:] == pytest.approx([steps[10]] * 10)
    assert all(step < 0 for step in steps) if theme == "light" else all(step > 0 for step in steps)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sign", ["rise", "fall"])
def test_signed_colours_run_from_the_background_to_their_own_colour(theme, sign):
    stops = scale_stops(theme, "default")
    mixtures = [SIGNED_MIXTURES[f"{sign}-{level}"] for level in range(1, SIGNED_LEVELS + 1)]
    assert mixtures[-1].to_hex(stops) == to_hex(stops[sign].to_oklab())
    shares = [(mixture.stop, mixture.percent, mixture.base) for mixture in mixtures]
    assert shares == [(sign, 10 * level, "cold") for level in range(1, SIGNED_LEVELS + 1)]


def test_every_theme_and_heat_scale_has_colours_of_its_own():
    hottest = {
        HEAT_MIXTURES["heat-20"].to_hex(scale_stops(*combination)) for combination in COMBINATIONS
    }
    assert len(hottest) == len(COMBINATIONS)


@pytest.mark.parametrize(("theme", "heat"), [("sepia", "default"), ("light", "jet")])
def test_an_unknown_theme_or_heat_scale_is_an_error(theme, heat):
    with pytest.raises(ValueError, match=r"light, dark.*default, cividis, viridis, greys"):
        scale_stops(theme, heat)


@pytest.mark.parametrize("file", ["static/theme.js", "templates/parts/theme.html"])
def test_readers_can_choose_every_theme_and_heat_scale(file):
    folder, _, name = file.partition("/")
    text = (site_folder(folder) / name).read_text("utf-8")
    choices = [re.findall(r'"([a-z]+)"', each) for each in re.findall(r"\[([^][]*)\]", text)]
    assert ["system", *THEMES] in choices
    assert list(HEATS) in choices


def luminance(colour):
    """The relative luminance of #rgb or #rrggbb, as WCAG 2 defines it."""
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("theme", "heat"), COMBINATIONS)
def test_numbers_are_readable_on_every_level(theme, heat):
    stops = scale_stops(theme, heat)
    for level in range(LEVELS + 1):
        ground = HEAT_MIXTURES[f"heat-{level}"].to_hex(stops)
        assert contrast(ground, TEXT_COLOURS[text_class(level)].in_theme(theme)) >= 4.5
    for level in range(1, SIGNED_LEVELS + 1):
        for sign in ("rise", "fall"):
            ground = SIGNED_MIXTURES[f"{sign}-{level}"].to_hex(stops)
            assert contrast(ground, TEXT_COLOURS[signed_text_class(-level)].in_theme(theme)) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_text_and_lines_are_readable_on_every_surface(theme):
    colours = {name: colour.in_theme(theme) for name, colour in THEME_COLOURS.items()}
    cold = to_hex(scale_stops(theme, "default")["cold"].to_oklab())
    for surface in (colours["paper"], colours["card"], colours["tint"], cold):
        for text in ("ink", "muted", "query", "key", "rise-ink", "fall-ink"):
            assert contrast(colours[text], surface) >= 4.5
    for surface in (colours["card"], colours["tint"]):
        assert contrast(colours["edge"], surface) >= 3
