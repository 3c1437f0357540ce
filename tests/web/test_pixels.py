import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import site_folder
from app.web import pixels
from tests.pages import LESSON

FONT = site_folder("static") / "vendor" / "inter.ttf"
STEP = f"{LESSON}/why-one-head-is-not-enough"


def square_svg(side):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map" width="{side}" height="{side}">'
        '<rect width="5" height="5"/></svg>'
    )


def png_size(png):
    return struct.unpack(">II", png[16:24])


def test_a_picture_is_as_large_as_it_says_times_its_scale():
    assert png_size(pixels.svg_to_png(square_svg(30), 2, FONT)) == (60, 60)


def test_too_many_pixels_are_refused_with_advice():
    side = 1_118  # times 4, squared: 19,998,784
    assert png_size(pixels.svg_to_png(square_svg(side), 4, FONT)) == (4 * side, 4 * side)
    with pytest.raises(ValueError, match=r"4,476 × 4,476.*smaller scale.*one head.*SVG"):
        pixels.svg_to_png(square_svg(side + 1), 4, FONT)


def test_an_svg_without_a_size_is_refused():
    with pytest.raises(ValueError, match="no picture of ours"):
        pixels.svg_to_png('<svg xmlns="http://www.w3.org/2000/svg"></svg>', 1, FONT)


def test_a_crash_while_drawing_is_contained(monkeypatch):
    monkeypatch.setattr(pixels, "MAX_PIXELS", 10**13)
    with pytest.raises(ValueError, match="could not be drawn"):
        pixels.svg_to_png(square_svg(1_000_000), 1, FONT)


def test_drawing_has_a_timeout(monkeypatch):
    monkeypatch.setattr(pixels, "TIMEOUT_SECONDS", 0.001)
    with pytest.raises(ValueError, match="could not be drawn"):
        pixels.svg_to_png(square_svg(1_000), 4, FONT)


def test_drawing_is_done_in_another_process(monkeypatch):
    """What draws holds the lock of the process that it is in: here it cannot even be had."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert png_size(pixels.svg_to_png(square_svg(30), 1, FONT)) == (30, 30)


def test_a_long_sentence_of_many_heads_is_refused_at_a_large_scale_and_drawn_at_a_small_one(client):
    view = {"text": "the " * 36, "model": "headwise-h8", "show": "grid"}
    refused = client.get(f"{STEP}/export/map.png", params=view | {"scale": 4})
    assert refused.status_code == 422
    assert "smaller scale" in refused.text
    assert client.get(f"{STEP}/export/map.png", params=view | {"scale": 1}).status_code == 200
    one_head = view | {"scale": 4, "show": "map"}
    assert client.get(f"{STEP}/export/map.png", params=one_head).status_code == 200


def test_pictures_are_drawn_one_at_a_time_while_other_files_are_made(monkeypatch):
    lock, at_work, max_at_work = Lock(), 0, 0

    def png(*_):
        nonlocal at_work, max_at_work
        with lock:
            at_work += 1
            max_at_work = max(max_at_work, at_work)
        time.sleep(0.05)
        with lock:
            at_work -= 1
        return b"\x89PNG"

    monkeypatch.setattr(pixels, "svg_to_png", png)
    texts = ("a cat", "a dog", "a bird", "a fox")
    paths = [f"{STEP}/export/map.png?text={text}" for text in texts]
    with TestClient(create_app()) as client, ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(client.get, [*paths, f"{STEP}/export/map.csv"]))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert max_at_work == 1
