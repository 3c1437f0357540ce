"""Maps have the right colours in the oldest Chromium that is supported, and in Firefox."""

import os
import re
import subprocess
from collections import Counter

import pytest
from PIL import Image

from app.picture.palette import HEAT_MIXTURES, scale_stops
from tests.old_browsers import chromium_109, firefox
from tests.shipped import LESSONS

(LESSON,) = LESSONS
STEPS = [step.slug for step in LESSON.steps]
MIN_PIXELS = 40


def hex_colours(theme):
    stops = scale_stops(theme, "default")
    return {name: mixture.to_hex(stops) for name, mixture in HEAT_MIXTURES.items()}


def to_hex(rgb):
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", rgb)[:3])


@pytest.fixture(scope="module")
def old_chromium(playwright):
    options = chromium_109()
    assert options, "Chromium 109 is not installed: python -m tests.old_browsers"
    browser = playwright.chromium.launch(**options)
    assert browser.version.startswith("109.")
    yield browser
    browser.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("slug", STEPS)
def test_chromium_109_paints_every_level_in_its_colour(old_chromium, server, slug, theme):
    page = old_chromium.new_page(color_scheme=theme, viewport={"width": 1280, "height": 800})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server}/{LESSON.slug}/{slug}")
    painted = page.evaluate(
        """[...document.querySelectorAll('.map .cells path[class^="heat-"]')].map(
            (path) => [path.getAttribute("class"), getComputedStyle(path).stroke])"""
    )
    assert painted
    expected = hex_colours(theme)
    assert {name: to_hex(stroke) for name, stroke in painted} == {
        name: expected[name] for name, _ in painted
    }
    assert not errors
    page.close()


def test_typing_in_chromium_109_changes_the_maps(old_chromium, server):
    page = old_chromium.new_page()
    page.goto(f"{server}/{LESSON.slug}/{STEPS[0]}")
    page.locator("#text").fill("Birds sing")
    page.wait_for_selector("#word-1:has-text('sing')")
    assert page.locator(".map text.key", has_text="sing").count()
    page.close()


@pytest.mark.parametrize("slug", STEPS[:2])
def test_firefox_paints_the_levels_of_a_page(page, server, slug, tmp_path):
    program = firefox()
    if program is None and "CI" not in os.environ:
        pytest.skip("Firefox is not installed, and only root on Debian can: tests/old_browsers.py")
    assert program, "Firefox is not installed: python -m tests.old_browsers"
    url = f"{server}/{LESSON.slug}/{slug}"
    page.goto(url)
    levels = page.evaluate(
        """[...document.querySelectorAll('.map:not(.map-thumb) .cells path[class^="heat-"]')].map(
            (path) => path.getAttribute("class"))"""
    )
    picture, profile = tmp_path / "page.png", tmp_path / "profile"
    profile.mkdir()
    subprocess.run(
        [
            program,
            "--headless",
            "--no-remote",
            "--profile",
            str(profile),
            "--window-size=1280,2400",
            "--screenshot",
            str(picture),
            url,
        ],
        check=True,
        timeout=90,
        capture_output=True,
    )
    with Image.open(picture) as image:
        pixels = Counter(image.convert("RGB").get_flattened_data())
    counts = {f"#{r:02x}{g:02x}{b:02x}": count for (r, g, b), count in pixels.items()}
    expected = hex_colours("light")
    assert levels
    assert all(counts.get(expected[name], 0) >= MIN_PIXELS for name in levels)
