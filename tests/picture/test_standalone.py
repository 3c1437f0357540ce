import re
from xml.etree import ElementTree

import numpy as np
import pytest

from app.picture import Axis, HeatmapLayout, heatmap, token_links
from app.picture.palette import HEATS, THEMES
from app.picture.standalone import standalone_css, standalone_svg
from app.settings import site_folder

STYLE_FOLDER = site_folder("static") / "style"
MAP_CSS = (STYLE_FOLDER / "map.css").read_text("utf-8")
AXIS = Axis(["<a>", "b & c", "long" * 9], range(3), [1])
WEIGHTS = np.array([[0.5, 0.3, 0.2], [0, 1, 0], [0.01, 0.19, 0.8]])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("heat", HEATS)
def test_rules_have_plain_colours_only(theme, heat):
    css = standalone_css(MAP_CSS, theme, heat)
    for beyond in ("var(", "light-dark(", "color-mix(", "oklch(", "--", "/*"):
        assert beyond not in css
    assert all(re.fullmatch(r"[^{}]+ \{[^{}]*\}", rule) for rule in css.split("\n"))


def test_rules_have_the_colours_of_the_theme_and_the_heat_scale():
    # The colours that Chromium computes for the page.
    rules = standalone_css(MAP_CSS, "dark", "viridis").split("\n")
    for rule in (
        ".paper { fill: #1b1e24; }",
        ".map .ground { fill: #1d242a; }",
        ".map .key, .map .key-name { fill: #ffb46b; }",
        ".cells .heat-0 { stroke: #1d242a; }",
        ".cells .heat-10 { stroke: #008c98; }",
        ".cells .heat-20 { stroke: #e5ed32; }",
        ".cells .rise-10 { stroke: #81da95; }",
        ".cells .fall-1 { stroke: #2e2f3c; }",
        ".map .number.on-cool { fill: #fff; }",
        ".map .number.on-hot { fill: #0a0c10; }",
    ):
        assert rule in rules


def test_every_theme_and_heat_scale_has_rules_of_its_own():
    styles = {standalone_css(MAP_CSS, theme, heat) for theme in THEMES for heat in HEATS}
    assert len(styles) == len(THEMES) * len(HEATS)


def test_every_rule_of_the_stylesheet_is_in_the_file():
    written = standalone_css(MAP_CSS, "light", "default")
    selectors = re.findall(r"^([.\w][^{}]*) \{", MAP_CSS, re.M)
    assert len(selectors) > 20
    for selector in selectors:
        assert f"\n{selector} {{" in written


def test_only_the_comment_at_the_top_is_left_out():
    css = "/* About\n   the rules. */\n.a { x: 1; }\n/* Why. */\n.b { y: 2; }\n"
    written = standalone_css(css, "light", "default")
    assert "\n.a { x: 1; }\n/* Why. */\n.b { y: 2; }\n" in written
    assert "About" not in written
    assert standalone_css(css.partition("*/\n")[2], "light", "default") == written


def test_letters_have_the_font_of_the_site():
    (fonts,) = re.findall(r"--sans: (.+);", (STYLE_FOLDER / "base.css").read_text("utf-8"))
    assert set(re.findall(r"font-family: ([^;]+);", MAP_CSS)) == {fonts}


def test_a_variable_that_the_palette_lacks_is_an_error():
    with pytest.raises(ValueError, match=r"map\.css uses a variable"):
        standalone_css(".map { fill: var(--nowhere); }", "light", "default")


@pytest.mark.parametrize(("theme", "heat"), [("sepia", "default"), ("light", "jet")])
def test_an_unknown_theme_or_heat_scale_is_an_error(theme, heat):
    with pytest.raises(ValueError, match="light, dark"):
        standalone_css(MAP_CSS, theme, heat)


@pytest.mark.parametrize(
    "picture", [heatmap(WEIGHTS, HeatmapLayout(AXIS)), token_links(WEIGHTS, AXIS)]
)
def test_a_picture_is_standalone(picture):
    css = standalone_css(MAP_CSS, "light", "default")
    document = standalone_svg(picture, css, "A <title> & more")
    root = ElementTree.fromstring(document)  # noqa: S314
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root[0].text == "A <title> & more"
    assert root[1].text == css
    assert root.get("role") == "img"
    assert root.get("aria-hidden") is None
    assert "href" not in document
    assert document.removesuffix("\n").endswith(picture[picture.index(">") + 1 :])


def test_text_that_is_no_svg_is_an_error():
    with pytest.raises(ValueError, match="not an SVG"):
        standalone_svg("<p>", "", "")
