import re
from xml.etree import ElementTree

import numpy as np
import pytest

from app.picture import Axis, HeatmapLayout, heatmap, token_links
from app.picture.standalone import HEATS, THEMES, resolved_css, standalone_svg
from app.settings import site_folder

STYLE_FOLDER = site_folder("static") / "style"
SITE_CSS = "\n".join((STYLE_FOLDER / name).read_text("utf-8") for name in ("heat.css", "site.css"))
MAP_CSS = (STYLE_FOLDER / "map.css").read_text("utf-8")
AXIS = Axis(["<a>", "b & c", "long" * 9], range(3), [1])
WEIGHTS = np.array([[0.5, 0.3, 0.2], [0, 1, 0], [0.01, 0.19, 0.8]])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("heat", HEATS)
def test_rules_have_resolved_colours_only(theme, heat):
    rules = resolved_css(SITE_CSS, MAP_CSS, theme, heat)
    for beyond in ("var(", "light-dark(", "color-mix(", "oklch(", "--"):
        assert beyond not in rules
    assert all(re.fullmatch(r"[^{}]+ \{[^{}]*\}", rule) for rule in rules.split("\n"))
    for level in range(21):
        assert f".heat-{level} {{ stroke: #" in rules


def test_every_theme_and_heat_has_colours_of_its_own():
    looks = {resolved_css(SITE_CSS, MAP_CSS, theme, heat) for theme in THEMES for heat in HEATS}
    assert len(looks) == len(THEMES) * len(HEATS)


@pytest.mark.parametrize(("theme", "heat"), [("sepia", "default"), ("light", "jet")])
def test_an_unknown_theme_or_colour_scale_is_an_error(theme, heat):
    with pytest.raises(ValueError, match="light, dark"):
        resolved_css(SITE_CSS, MAP_CSS, theme, heat)


@pytest.mark.parametrize(
    "picture", [heatmap(WEIGHTS, HeatmapLayout(AXIS)), token_links(WEIGHTS, AXIS)]
)
def test_a_picture_is_standalone(picture):
    rules = resolved_css(SITE_CSS, MAP_CSS, "light", "default")
    document = standalone_svg(picture, rules, "A <title>")
    root = ElementTree.fromstring(document)  # noqa: S314
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root[0].text == "A <title>"
    assert "href" not in document
    assert document.removesuffix("\n").endswith(picture[picture.index(">") + 1 :])


def test_text_that_is_no_svg_is_an_error():
    with pytest.raises(ValueError, match="no SVG"):
        standalone_svg("<p>", "", "")
