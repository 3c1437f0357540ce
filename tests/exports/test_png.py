import struct
import sys

import pytest

from app.exports import png
from app.settings import site_folder

FONT = site_folder("static") / "vendor" / "inter.ttf"


def square_svg(side):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map" width="{side}" height="{side}">'
        '<rect width="5" height="5"/></svg>'
    )


def png_size(png):
    return struct.unpack(">II", png[16:24])


def test_a_picture_is_as_large_as_it_says_times_its_scale():
    assert png_size(png.svg_to_png(square_svg(30), 2, FONT)) == (60, 60)


def test_too_many_pixels_are_refused_with_advice():
    side = 1_118  # times 4, squared: 19,998,784
    assert png_size(png.svg_to_png(square_svg(side), 4, FONT)) == (4 * side, 4 * side)
    with pytest.raises(ValueError, match=r"4,476 × 4,476.*smaller scale.*one head.*SVG"):
        png.svg_to_png(square_svg(side + 1), 4, FONT)


def test_an_svg_without_a_size_is_refused():
    with pytest.raises(ValueError, match="no width and height"):
        png.svg_to_png('<svg xmlns="http://www.w3.org/2000/svg"></svg>', 1, FONT)


def test_a_crash_while_drawing_is_contained(monkeypatch):
    monkeypatch.setattr(png, "MAX_PIXELS", 10**13)
    with pytest.raises(ValueError, match="could not be drawn"):
        png.svg_to_png(square_svg(1_000_000), 1, FONT)


def test_drawing_has_a_timeout(monkeypatch):
    monkeypatch.setattr(png, "TIMEOUT_SECONDS", 0.001)
    with pytest.raises(ValueError, match="could not be drawn"):
        png.svg_to_png(square_svg(1_000), 4, FONT)


def test_drawing_is_done_in_another_process(monkeypatch):
    """What draws holds the lock of the process that it is in: here it cannot even be had."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert png_size(png.svg_to_png(square_svg(30), 1, FONT)) == (30, 30)
