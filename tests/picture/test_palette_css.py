import re

from app.picture.colour_scale import (
    LEVELS,
    SIGNED_LEVELS,
    heat_class,
    signed_heat_class,
    signed_text_class,
    text_class,
)
from app.picture.palette import (
    HEAT_MIXTURES,
    HEATS,
    SIGNED_MIXTURES,
    TEXT_COLOURS,
    THEME_COLOURS,
    scale_stops,
)
from app.picture.palette_css import palette_css
from app.settings import site_folder

STYLE_FOLDER = site_folder("static") / "style"


def test_the_stylesheet_of_the_site_is_up_to_date():
    written = (STYLE_FOLDER / "palette.css").read_text("utf-8")
    assert written == palette_css(), "Run `make palette`."


def test_every_class_of_a_cell_and_of_its_text_has_a_colour():
    css = palette_css()
    levels = range(LEVELS + 1)
    signed_levels = [level for level in range(-SIGNED_LEVELS, SIGNED_LEVELS + 1) if level]
    cells = {*map(heat_class, levels), *map(signed_heat_class, signed_levels)}
    texts = {*map(text_class, levels), *map(signed_text_class, signed_levels)}
    assert set(re.findall(r"^\.([\w-]+) \{ --heat: ", css, re.M)) == cells
    assert set(re.findall(r"^\.([\w-]+) \{ --on-heat: ", css, re.M)) == texts


def rules_for(*selectors):
    """Return the colours that apply to a page on which these selectors match, by name."""
    colours = {}
    for line in palette_css().splitlines():
        rule = re.fullmatch(r"(?:@media [^{]*\{ )?(:root\S*) \{ (--.*;) \}(?: \})?", line)
        if rule and rule[1] in selectors:
            colours |= dict(re.findall(r"--([\w-]+): ([^;]+);", rule[2]))
    return colours


def test_each_theme_and_heat_scale_has_the_colours_that_exports_have():
    for heat in HEATS:
        scale = f'[data-heat="{heat}"]' if heat != "default" else ""
        light = [":root", f":root{scale}"]
        dark = [*light, ':root[data-theme="dark"]', f':root{scale}[data-theme="dark"]']
        system = [
            *light,
            ':root:not([data-theme="light"])',
            f':root{scale}:not([data-theme="light"])',
        ]
        for theme, selectors in (("light", light), ("dark", dark), ("dark", system)):
            colours, stops = rules_for(*selectors), scale_stops(theme, heat)
            for name, mixture in (HEAT_MIXTURES | SIGNED_MIXTURES).items():
                assert colours[name] == mixture.to_hex(stops), (theme, heat, name)
            for name, colour in (THEME_COLOURS | TEXT_COLOURS).items():
                assert colours[name] == colour.in_theme(theme), (theme, heat, name)


def test_dark_colours_are_for_screens_and_every_colour_is_plain():
    lines = palette_css().splitlines()
    assert sum("data-theme" in line for line in lines) == 2 * len(HEATS)
    assert all(line.startswith("@media screen") for line in lines if "data-theme" in line)
    assert not re.search(r"light-dark|color-mix|oklch|oklab", palette_css())
    assert re.findall(r"--heat-3: #[0-9a-f]{6};", palette_css())


def test_every_heat_scale_but_the_default_is_chosen_by_an_attribute():
    chosen = dict.fromkeys(re.findall(r'data-heat="(\w+)"', palette_css()))
    assert list(chosen) == [heat for heat in HEATS if heat != "default"]


def test_no_colour_is_declared_twice():
    declared = re.findall(r"^ *--([\w-]+):", (STYLE_FOLDER / "base.css").read_text("utf-8"), re.M)
    assert not set(declared) & {*THEME_COLOURS, "cold", "warm", "hot", "rise", "fall"}
    assert declared
