"""Every step looks as it did when it was last looked at.

`make looks` renews the pictures; look at them before they are committed.
"""

import io
import os
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageOps

from tests.pages import LESSON

LOOKS = Path(__file__).parent / "looks"
RENEW = "HEADWISE_RENEW_LOOKS" in os.environ

SMALLER = {1280: 4, 390: 3}
"""Pictures are compared at a fraction of their size, and with 32 shades a colour, where the
smoothing of letters is gone."""

SHADE, SHARE = 24, 0.01
"""At most one pixel in a hundred may differ by more than 24 of 255 shades, in any colour; that lets
another version of a browser or of a system font pass, and no part that moved, came or went."""


def picture(page, width):
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    by = SMALLER[width]
    small = shot.resize((shot.width // by, shot.height // by), Image.Resampling.BOX)
    return ImageOps.posterize(small, 5)


def differing(one, other):
    """The share of pixels that differ, of the larger picture; what one of them lacks differs."""
    size = max(one.width, other.width), max(one.height, other.height)
    padded = []
    for image in (one, other):
        padded.append(Image.new("RGB", size, (255, 0, 255)))
        padded[-1].paste(image)
    bands = ImageChops.difference(*padded).split()
    worst = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    return sum(worst.histogram()[SHADE + 1 :]) / (size[0] * size[1])


def test_a_part_that_moves_is_seen():
    page = Image.new("RGB", (320, 500), "white")
    moved = page.copy()
    page.paste("navy", (100, 100, 160, 140))
    moved.paste("navy", (100, 120, 160, 160))
    assert differing(page, page) == 0
    assert differing(page, moved) > SHARE
    assert differing(page, page.crop((0, 0, 320, 490))) > SHARE


@pytest.fixture(scope="module", params=[(t, w) for t in ("light", "dark") for w in SMALLER])
def visitor(request, browser, server):
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
def test_a_step_looks_as_it_did(visitor, server, tmp_path, step):
    page, theme, width = visitor
    page.goto(f"{server}{LESSON}/{step}")
    page.evaluate("document.fonts.ready.then(() => null)")
    now = picture(page, width)
    known = LOOKS / f"{step}-{theme}-{width}.webp"
    if RENEW:
        LOOKS.mkdir(exist_ok=True)
        now.save(known, lossless=True)
    now.save(tmp_path / "now.png")
    then = Image.open(known).convert("RGB")
    assert differing(now, then) <= SHARE, f"it looks like {tmp_path / 'now.png'} now"
