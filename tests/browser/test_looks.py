"""Every step looks as it did when it was last looked at.

`make looks` renews the pictures; look at them before they are committed.
"""

import io
import os
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageOps

from tests.pages import LESSON

SCREENSHOTS = Path(__file__).parent / "looks"
RENEW_SCREENSHOTS = "HEADWISE_RENEW_LOOKS" in os.environ

DOWNSCALE_FACTORS = {1280: 4, 390: 3}
"""Pictures are compared at a fraction of their size, and with 32 shades a colour, where the
smoothing of letters is gone."""

MAX_SHADE_DIFFERENCE, MAX_DIFFERENT_SHARE = 24, 0.01
"""At most one pixel in a hundred may differ by more than 24 of 255 shades, in any colour; that lets
another version of a browser or of a system font pass, and no part that moved, came or went."""


def downscaled_screenshot(page, width):
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    factor = DOWNSCALE_FACTORS[width]
    small = shot.resize((shot.width // factor, shot.height // factor), Image.Resampling.BOX)
    return ImageOps.posterize(small, 5)


def share_of_different_pixels(first, second):
    """The share of pixels that differ, of the larger picture; what one of them lacks differs."""
    size = max(first.width, second.width), max(first.height, second.height)
    padded = []
    for image in (first, second):
        padded.append(Image.new("RGB", size, (255, 0, 255)))
        padded[-1].paste(image)
    bands = ImageChops.difference(*padded).split()
    worst = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    return sum(worst.histogram()[MAX_SHADE_DIFFERENCE + 1 :]) / (size[0] * size[1])


def test_a_part_that_moves_is_detected():
    page = Image.new("RGB", (320, 500), "white")
    moved = page.copy()
    page.paste("navy", (100, 100, 160, 140))
    moved.paste("navy", (100, 120, 160, 160))
    assert share_of_different_pixels(page, page) == 0
    assert share_of_different_pixels(page, moved) > MAX_DIFFERENT_SHARE
    assert share_of_different_pixels(page, page.crop((0, 0, 320, 490))) > MAX_DIFFERENT_SHARE


@pytest.fixture(
    scope="module", params=[(t, w) for t in ("light", "dark") for w in DOWNSCALE_FACTORS]
)
def cached_page(request, browser, server):
    """A page in one theme and width that has been here before, so that fonts are there at once."""
    theme, width = request.param
    context = browser.new_context(
        color_scheme=theme, viewport={"width": width, "height": 900}, service_workers="block"
    )
    page = context.new_page()
    page.goto(f"{server}{LESSON}/1")
    page.wait_for_load_state("networkidle")
    yield page, theme, width
    context.close()


@pytest.mark.parametrize("step", range(1, 8))
def test_a_step_matches_its_screenshot(cached_page, server, tmp_path, step):
    page, theme, width = cached_page
    page.goto(f"{server}{LESSON}/{step}")
    page.evaluate("document.fonts.ready.then(() => null)")
    current = downscaled_screenshot(page, width)
    expected_file = SCREENSHOTS / f"{step}-{theme}-{width}.webp"
    if RENEW_SCREENSHOTS:
        SCREENSHOTS.mkdir(exist_ok=True)
        current.save(expected_file, lossless=True)
    current.save(tmp_path / "now.png")
    expected = Image.open(expected_file).convert("RGB")
    assert share_of_different_pixels(current, expected) <= MAX_DIFFERENT_SHARE, (
        f"it looks like {tmp_path / 'now.png'} now"
    )
