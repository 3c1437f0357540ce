import re
from xml.etree import ElementTree

import numpy as np
import pytest

from app.picture.vector_strip import (
    largest_magnitude,
    n_cells,
    signed_block_maxima,
    strip_contents,
    strip_svg,
)


def drawn_cells(content, width):
    """(level, touches the top) of each cell of a strip."""
    root = ElementTree.fromstring(f"<svg>{content}</svg>")  # noqa: S314
    cells = [(0, None)] * width
    for path in root.iter("path"):
        name, level = path.get("class").split("-")
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)", path.get("d")):
            top = {"2": True, "3": False}[y]
            for index in range(int(x), int(x) + int(length)):
                assert cells[index] == (0, None)
                cells[index] = (int(level) if name == "rise" else -int(level), top)
    return cells


@pytest.mark.parametrize("d", [1, 2, 16, 64, 256])
def test_every_number_is_a_cell_at_its_level_and_negative_ones_are_low(d):
    vectors = np.random.default_rng(d).uniform(-3, 3, (4, d))
    largest = 2.5
    for vector, content in zip(vectors, strip_contents(vectors, largest), strict=True):
        expected = [round(10 * max(-1, min(1, value / largest))) for value in vector]
        cells = drawn_cells(content, d)
        assert [level for level, _ in cells] == expected
        assert all(top is (level > 0) for level, top in cells if level)


def test_neighbours_of_one_level_are_one_stroke():
    (content,) = strip_contents(np.array([[1.0, 1.0, 1.0, -1.0, 1.0]]), 1.0)
    assert content.count("M") == 3
    assert strip_contents(np.zeros((1, 4)), 1.0)[0].count("<path") == 0


@pytest.mark.parametrize("d", [257, 512, 768, 1000, 4096])
def test_strips_of_many_numbers_show_the_largest_of_each_block(d):
    vectors = np.random.default_rng(d).normal(size=(2, d))
    width = n_cells(d)
    assert width <= 256
    size = -(-d // 256)
    shown = signed_block_maxima(vectors)
    assert shown.shape == (2, width)
    for vector, row in zip(vectors, shown, strict=True):
        for index, value in enumerate(row):
            block = vector[index * size : (index + 1) * size]
            assert value in block
            assert abs(value) == max(map(abs, block))
    assert len(drawn_cells(strip_contents(vectors, 1.0)[0], width)) == width


def test_a_strip_has_any_size():
    svg = ElementTree.fromstring(strip_svg("<g/>", 32, 'width="80"'))  # noqa: S314
    assert svg.get("viewBox") == "0 0 32 5"
    assert svg.get("preserveAspectRatio") == "none"
    assert svg.get("width") == "80"
    assert svg.get("aria-hidden") == "true"


def test_the_largest_magnitude_of_zeros_or_nothing_is_1():
    assert largest_magnitude(np.array([1.0, -4.0]), np.array([[2.0]])) == 4
    assert largest_magnitude(np.zeros(3), np.zeros((0, 2))) == 1
    assert largest_magnitude() == 1
