import pytest

from app.picture.oklab import OKLCH, mix, to_hex


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        # Black, white and sRGB's primaries as CSS Color 4 gives them.
        (OKLCH(0, 0, 0), "#000000"),
        (OKLCH(1, 0, 0), "#ffffff"),
        (OKLCH(0.62796, 0.25768, 29.234), "#ff0000"),
        (OKLCH(0.86644, 0.29483, 142.495), "#00ff00"),
        (OKLCH(0.45201, 0.31321, 264.052), "#0000ff"),
    ],
)
def test_colours_become_srgb(colour, expected):
    assert to_hex(colour.to_oklab()) == expected


def test_a_colour_outside_srgb_is_clipped():
    assert to_hex(OKLCH(0.9, 0.4, 140).to_oklab()) == "#00ff00"


def test_a_mixture_begins_at_one_colour_and_ends_at_the_other():
    blue, yellow = OKLCH(0.45201, 0.31321, 264.052), OKLCH(0.968, 0.211, 109.77)
    assert mix(blue, 0, yellow) == yellow.to_oklab()
    assert mix(blue, 1, yellow) == blue.to_oklab()
    assert mix(blue, 0.25, yellow).lightness == pytest.approx(0.25 * 0.45201 + 0.75 * 0.968)
