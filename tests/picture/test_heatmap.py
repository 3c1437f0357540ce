import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.picture import Axis, HeatmapLayout, heatmap
from app.picture.heatmap import block_maxima, downsampled_thumbnail, truncate_label
from app.picture.number_format import format_cell

SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg):
    return ElementTree.fromstring(svg.replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1))  # noqa: S314


def rows(n, seed=0):
    weights = np.random.default_rng(seed).random((n, n)) ** 3
    return weights / weights.sum(axis=1, keepdims=True)


def drawn(weights, labels=None, word_of=None, queries=(0,)):
    n = len(weights)
    labels = labels or [f"w{i}" for i in range(n)]
    return heatmap(weights, HeatmapLayout(Axis(labels, word_of or range(n), queries)))


def cells(svg):
    """(x, y, length, level) of every stroke."""
    found = []
    for path in parsed(svg).iterfind(f".//{SVG}g[@class='cells']/{SVG}path"):
        level = int(path.get("class").removeprefix("heat-"))
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)", path.get("d")):
            found.append((int(x), int(y), int(length), level))
    return found


@pytest.mark.parametrize("n", [1, 4, 8, 12, 14, 15, 40, 48])
def test_every_cell_is_drawn_once_at_its_own_level(n):
    weights = rows(n)
    svg = drawn(weights)
    ground = parsed(svg).find(f".//{SVG}rect[@class='ground']")
    cell = int(ground.get("width")) // n
    found = np.zeros((n, n), int)
    for x, y, length, level in cells(svg):
        assert cell - 2 <= length <= cell
        assert level > 0
        assert found[y // cell, x // cell] == 0
        found[y // cell, x // cell] = level
    np.testing.assert_array_equal(found, np.rint(weights * 20))


def test_numbers_stand_in_the_cells_of_short_sentences_only():
    assert drawn(rows(7)).count('class="number') == 49
    weights = rows(3)
    texts = list(parsed(drawn(weights)).iterfind(f".//{SVG}text"))
    found = {
        (int(t.get("y")) // 40, int(t.get("x")) // 40): t.text
        for t in texts
        if t.get("class").startswith("number")
    }
    assert found == {(i, j): format_cell(float(weights[i, j])) for i in range(3) for j in range(3)}
    assert 'class="number' not in drawn(rows(8))


def test_each_row_has_its_largest_cell_outlined():
    weights = rows(5)
    outline = parsed(drawn(weights)).find(f".//{SVG}path[@class='maximum']")
    corners = re.findall(r"M([\d.]+) ([\d.]+)h", outline.get("d"))
    outlined = [(int(float(y) // 40), int(float(x) // 40)) for x, y in corners]
    assert outlined == [(row, int(weights[row].argmax())) for row in range(5)]


def test_the_chosen_rows_are_framed_and_named():
    svg = parsed(drawn(rows(4), queries=[1, 2]))
    frame = svg.find(f".//{SVG}rect[@class='query-frame']")
    assert float(frame.get("height")) == 2 * 40 + 2
    assert [t.text for t in svg.iterfind(f"{SVG}text[@class='query chosen']")] == ["w1", "w2"]


def test_pieces_of_a_word_are_joined_by_a_bracket_on_both_axes():
    svg = drawn(rows(4), ["a", "zy", "zz", "b"], [0, 1, 1, 2])
    assert svg.count("word-bracket") == 2


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=6))
def test_any_label_is_escaped_and_whole_or_shortened_with_the_whole_in_a_tooltip(labels):
    labels = [re.sub(r"[^\x20-\ud7ff\ue000-\ufffd]", "?", label) for label in labels]
    svg = parsed(drawn(rows(len(labels)), labels))
    keys = list(svg.iterfind(f"{SVG}text[@class='key']"))
    assert ["".join(k.itertext()) if len(k) == 0 else k[0].text for k in keys] == labels


def test_a_long_label_is_shortened_to_twelve():
    assert truncate_label("floccinaucinihilipilification") == "floccinauci…"
    assert truncate_label("twelve chars") == "twelve chars"


def test_the_same_numbers_give_the_same_bytes():
    assert drawn(rows(9)) == drawn(rows(9))


@pytest.mark.parametrize("n", [3, 24, 25, 48, 100, 128])
def test_a_miniature_has_few_cells_and_loses_no_strong_link(n):
    weights = np.full((n, n), 0.001)
    weights[n - 1, n // 2] = 0.9
    small = block_maxima(weights)
    assert len(small) <= 24
    size = -(-n // 24)
    assert small[(n - 1) // size, n // 2 // size] == 0.9
    assert np.count_nonzero(small > 0.5) == 1
    assert downsampled_thumbnail(weights).startswith('<svg class="map map-thumb')
