"""Every step looks as it does in the screenshots of `tests/browser/screenshots/`.

`make pictures` renews them; look at them before they are committed.
"""

import io
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.pages import STEP_PATHS

SCREENSHOTS = Path(__file__).parent / "screenshots"
RENEW_SCREENSHOTS = "HEADWISE_RENEW_SCREENSHOTS" in os.environ

DOWNSCALE_FACTORS = {1280: 4, 390: 3}
"""Screenshots are kept at a fraction of their size, by width, and with 32 shades a colour."""

TILE_SIZE = 8
"""Pixels of the kept picture: 32 or 24 of the page, about the size of a button."""

MAX_TILE_DIFFERENCE = 4
"""Mean over a tile of the largest difference of a colour, in 255 shades.

Two runs on one machine do not differ at all. Letters that are smoothed in another way stay below
it; a word of small print that changes does not.
"""


def downscaled_screenshot(page, width):
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    factor = DOWNSCALE_FACTORS[width]
    small = shot.resize((shot.width // factor, shot.height // factor), Image.Resampling.BOX)
    return ImageOps.posterize(small, 5)


def different_tiles(first, second):
    """Return the places (x, y, in tiles) at which two pictures differ.

    Where only one of them has a pixel, the difference is as large as can be.
    """
    images = [np.asarray(image, int) for image in (first, second)]
    height, width = (-(-max(image.shape[axis] for image in images) // TILE_SIZE) for axis in (0, 1))
    padded = np.full((2, height * TILE_SIZE, width * TILE_SIZE, 3), -1)
    for canvas, image in zip(padded, images, strict=True):
        canvas[: image.shape[0], : image.shape[1]] = image
    differences = np.abs(padded[0] - padded[1]).max(axis=-1)
    differences[(padded[0, ..., 0] < 0) != (padded[1, ..., 0] < 0)] = 255
    means = differences.reshape(height, TILE_SIZE, width, TILE_SIZE).mean(axis=(1, 3))
    return [(int(x), int(y)) for y, x in np.argwhere(means > MAX_TILE_DIFFERENCE)]


@contextmanager
def open_lesson(browser, server, theme, width):
    """A page in one theme and width whose fonts an earlier page has fetched."""
    context = browser.new_context(
        color_scheme=theme, viewport={"width": width, "height": 900}, service_workers="block"
    )
    page = context.new_page()
    page.goto(server + STEP_PATHS[0])
    page.wait_for_load_state("networkidle")
    yield page
    context.close()


def open_step(page, server, path):
    page.goto(server + path)
    page.evaluate("document.fonts.ready.then(() => null)")


@pytest.fixture(
    scope="module", params=[(t, w) for t in ("light", "dark") for w in DOWNSCALE_FACTORS]
)
def lesson_page(request, browser, server):
    theme, width = request.param
    with open_lesson(browser, server, theme, width) as page:
        yield page, theme, width


@pytest.mark.parametrize("path", STEP_PATHS)
def test_a_step_matches_its_screenshot(lesson_page, server, tmp_path, path):
    page, theme, width = lesson_page
    open_step(page, server, path)
    current = downscaled_screenshot(page, width)
    expected_file = SCREENSHOTS / f"{path[1:]}-{theme}-{width}.webp"
    if RENEW_SCREENSHOTS:
        expected_file.parent.mkdir(parents=True, exist_ok=True)
        current.save(expected_file, lossless=True)
    current.save(tmp_path / "now.png")
    expected = Image.open(expected_file).convert("RGB")
    assert different_tiles(current, expected) == [], f"it looks like {tmp_path / 'now.png'} now"


@pytest.fixture(scope="module", params=[("light", 1280), ("dark", 390)])
def unchanged(request, browser, server):
    """A page, its width and its screenshot before anything is changed."""
    theme, width = request.param
    with open_lesson(browser, server, theme, width) as page:
        open_step(page, server, STEP_PATHS[0])
        yield page, width, downscaled_screenshot(page, width)


def test_a_page_that_did_not_change_has_the_same_screenshot(unchanged, server):
    page, width, screenshot = unchanged
    open_step(page, server, STEP_PATHS[0])
    assert different_tiles(downscaled_screenshot(page, width), screenshot) == []


@pytest.mark.parametrize(
    ("selector", "style"),
    [
        ("body > header", "visibility: hidden"),
        ("body > header nav", "visibility: hidden"),
        ("#head-1", "transform: translateX(8px)"),
        ("#word-1", "visibility: hidden"),
        (".legend-line", "visibility: hidden"),
        (".prose", "color: #850"),
        (".objective", "color: #850"),
        ("#predict h2", "font-size: 90%"),
        ("main", "margin-top: 5px"),
    ],
)
def test_a_part_that_is_missing_moved_or_coloured_is_found(unchanged, server, selector, style):
    page, width, screenshot = unchanged
    open_step(page, server, STEP_PATHS[0])
    page.locator(selector).first.evaluate(f"each => {{ each.style.cssText = '{style}' }}")
    assert different_tiles(downscaled_screenshot(page, width), screenshot)


def test_a_shorter_page_is_found():
    page = Image.new("RGB", (320, 500), "white")
    assert different_tiles(page, page) == []
    assert different_tiles(page, page.crop((0, 0, 320, 490)))
