import re

from app.picture.colour_scale import (
    LEVELS,
    SIGNED_LEVELS,
    heat_class,
    signed_heat_class,
    signed_text_class,
    text_class,
)
from app.picture.palette import HEATS, THEME_COLOURS
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


def test_a_level_is_mixed_from_its_stops():
    rules = palette_css().splitlines()
    assert ".heat-7 { --heat: color-mix(in oklab, var(--warm) 70%, var(--cold)); }" in rules
    assert ".heat-13 { --heat: color-mix(in oklab, var(--hot) 30%, var(--warm)); }" in rules
    assert ".fall-4 { --heat: color-mix(in oklab, var(--fall) 40%, var(--cold)); }" in rules


def test_every_heat_scale_but_the_default_is_chosen_by_an_attribute():
    assert re.findall(r'data-heat="(\w+)"', palette_css()) == [
        heat for heat in HEATS if heat != "default"
    ]


def test_no_colour_is_declared_twice():
    declared = re.findall(r"^ *--([\w-]+):", (STYLE_FOLDER / "base.css").read_text("utf-8"), re.M)
    assert not set(declared) & {*THEME_COLOURS, "cold", "warm", "hot", "rise", "fall"}
    assert declared
