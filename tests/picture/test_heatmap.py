import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.picture import Axis, HeatmapLayout, heatmap
from app.picture.heatmap import block_maxima, downsampled_thumbnail, truncate_label
from app.picture.number_format import format_cell

SVG_NAMESPACE = "{http://www.w3.org/2000/svg}"


def parse_svg(svg):
    return ElementTree.fromstring(svg.replace("<svg ", f'<svg xmlns="{SVG_NAMESPACE[1:-1]}" ', 1))  # noqa: S314


def random_weights(n, seed=0):
    weights = np.random.default_rng(seed).random((n, n)) ** 3
    return weights / weights.sum(axis=1, keepdims=True)


def draw_heatmap(weights, labels=None, word_of=None, queries=(0,)):
    n = len(weights)
    labels = labels or [f"w{i}" for i in range(n)]
    return heatmap(weights, HeatmapLayout(Axis(labels, word_of or range(n), queries)))


def cell_strokes(svg):
    """(x, y, length, level) of every stroke."""
    strokes = []
    for path in parse_svg(svg).iterfind(f".//{SVG_NAMESPACE}g[@class='cells']/{SVG_NAMESPACE}path"):
        level = int(path.get("class").removeprefix("heat-"))
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)", path.get("d")):
            strokes.append((int(x), int(y), int(length), level))
    return strokes


@pytest.mark.parametrize("n", [1, 4, 8, 12, 14, 15, 40, 48])
def test_every_cell_is_drawn_once_at_its_own_level(n):
    weights = random_weights(n)
    svg = draw_heatmap(weights)
    ground = parse_svg(svg).find(f".//{SVG_NAMESPACE}rect[@class='ground']")
    cell = int(ground.get("width")) // n
    drawn_levels = np.zeros((n, n), int)
    for x, y, length, level in cell_strokes(svg):
        assert cell - 2 <= length <= cell
        assert level > 0
        assert drawn_levels[y // cell, x // cell] == 0
        drawn_levels[y // cell, x // cell] = level
    np.testing.assert_array_equal(drawn_levels, np.rint(weights * 20))


def test_only_short_sentences_have_numbers_in_their_cells():
    assert draw_heatmap(random_weights(7)).count('class="number') == 49
    weights = random_weights(3)
    texts = list(parse_svg(draw_heatmap(weights)).iterfind(f".//{SVG_NAMESPACE}text"))
    numbers = {
        (int(t.get("y")) // 40, int(t.get("x")) // 40): t.text
        for t in texts
        if t.get("class").startswith("number")
    }
    assert numbers == {
        (i, j): format_cell(float(weights[i, j])) for i in range(3) for j in range(3)
    }
    assert 'class="number' not in draw_heatmap(random_weights(8))


def test_each_row_has_its_largest_cell_outlined():
    weights = random_weights(5)
    outline = parse_svg(draw_heatmap(weights)).find(f".//{SVG_NAMESPACE}path[@class='maximum']")
    corners = re.findall(r"M([\d.]+) ([\d.]+)h", outline.get("d"))
    outlined = [(int(float(y) // 40), int(float(x) // 40)) for x, y in corners]
    assert outlined == [(row, int(weights[row].argmax())) for row in range(5)]


def test_the_chosen_rows_are_framed_and_named():
    svg = parse_svg(draw_heatmap(random_weights(4), queries=[1, 2]))
    frame = svg.find(f".//{SVG_NAMESPACE}rect[@class='query-frame']")
    assert float(frame.get("height")) == 2 * 40 + 2
    assert [t.text for t in svg.iterfind(f"{SVG_NAMESPACE}text[@class='query chosen']")] == [
        "w1",
        "w2",
    ]


def test_pieces_of_a_word_are_joined_by_a_bracket_on_both_axes():
    svg = draw_heatmap(random_weights(4), ["a", "zy", "zz", "b"], [0, 1, 1, 2])
    assert svg.count("word-bracket") == 2


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=6))
def test_any_label_is_escaped_and_complete_at_least_in_a_tooltip(labels):
    labels = [re.sub(r"[^\x20-\ud7ff\ue000-\ufffd]", "?", label) for label in labels]
    svg = parse_svg(draw_heatmap(random_weights(len(labels)), labels))
    keys = list(svg.iterfind(f"{SVG_NAMESPACE}text[@class='key']"))
    assert ["".join(k.itertext()) if len(k) == 0 else k[0].text for k in keys] == labels


def test_a_long_label_is_shortened_to_twelve():
    assert truncate_label("floccinaucinihilipilification") == "floccinauci…"
    assert truncate_label("twelve chars") == "twelve chars"


def test_the_same_numbers_give_the_same_bytes():
    assert draw_heatmap(random_weights(9)) == draw_heatmap(random_weights(9))


@pytest.mark.parametrize("n", [3, 24, 25, 48, 100, 128])
def test_a_thumbnail_has_few_cells_and_loses_no_large_weight(n):
    weights = np.full((n, n), 0.001)
    weights[n - 1, n // 2] = 0.9
    small = block_maxima(weights)
    assert len(small) <= 24
    size = -(-n // 24)
    assert small[(n - 1) // size, n // 2 // size] == 0.9
    assert np.count_nonzero(small > 0.5) == 1
    assert downsampled_thumbnail(weights).startswith('<svg class="map map-thumb')
