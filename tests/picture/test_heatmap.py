import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.picture import Area, Axis, HeatmapLayout, heatmap, signed_map, signed_thumbnail, thumbnail
from app.picture.heatmap import block_maxima, downsampled_thumbnail, truncate_label
from app.picture.number_format import format_cell, format_signed_cell

SVG_NAMESPACE = "{http://www.w3.org/2000/svg}"


def parse_svg(svg):
    return ElementTree.fromstring(svg.replace("<svg ", f'<svg xmlns="{SVG_NAMESPACE[1:-1]}" ', 1))  # noqa: S314


def random_weights(n, seed=0):
    weights = np.random.default_rng(seed).random((n, n)) ** 3
    return weights / weights.sum(axis=1, keepdims=True)


def labels_of(n):
    return [f"w{i}" for i in range(n)]


def draw_heatmap(weights, labels=None, word_of=None, queries=(0,)):
    n = len(weights)
    labels = labels or labels_of(n)
    return heatmap(weights, HeatmapLayout(Axis(labels, word_of or range(n), queries)))


def number_texts(svg):
    texts = parse_svg(svg).iterfind(f".//{SVG_NAMESPACE}text")
    return [text for text in texts if text.get("class").startswith("number")]


def numbers_in_cells(svg):
    """The number of each cell of a small map, by row and column."""
    return {
        (int(text.get("y")) // 40, int(text.get("x")) // 40): text.text
        for text in number_texts(svg)
    }


def cell_strokes(svg):
    """(x, y, length, level) of every stroke; values below 0 have negative levels."""
    strokes = []
    for path in parse_svg(svg).iterfind(f".//{SVG_NAMESPACE}g[@class='cells']/{SVG_NAMESPACE}path"):
        name, level = path.get("class").split("-")
        level = -int(level) if name == "fall" else int(level)
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


@pytest.mark.parametrize("n", [3, 8, 20])
def test_every_signed_cell_is_drawn_once_at_its_own_level(n):
    values = np.random.default_rng(n).uniform(-3, 3, (n, n))
    layout = HeatmapLayout(Axis(labels_of(n), range(n), [0]))
    thumbnail_cell = {3: 14, 8: 8, 20: 4}[n]
    for svg, cell in (
        (signed_map(values, layout, 2.0), layout.cells.cell_size),
        (signed_thumbnail(values, 2.0), thumbnail_cell),
    ):
        drawn_levels = np.zeros((n, n), int)
        for x, y, _, level in cell_strokes(svg):
            assert drawn_levels[y // cell, x // cell] == 0
            drawn_levels[y // cell, x // cell] = level
        np.testing.assert_array_equal(drawn_levels, np.rint(np.clip(values / 2, -1, 1) * 10))


def test_masked_scores_are_crossed_out_and_have_no_colour():
    scores = np.array([[1.0, -np.inf], [0.5, -2.0]])
    svg = signed_map(scores, HeatmapLayout(Axis(["a", "b"], [0, 1], [0])), 2.0)
    crosses = parse_svg(svg).find(f".//{SVG_NAMESPACE}path[@class='forbidden']").get("d")
    ((x, y),) = re.findall(r"M(\d+) (\d+)l", crosses)
    assert (int(y) // 40, int(x) // 40) == (0, 1)
    assert len(cell_strokes(svg)) == 3
    assert numbers_in_cells(svg) == {
        (row, column): format_signed_cell(scores[row, column])
        for row in range(2)
        for column in range(2)
    }


def test_text_in_a_cell_is_readable_on_its_level():
    weights = np.array([[0.45, 0.55], [0.05, 0.95]])
    classes = [text.get("class") for text in number_texts(draw_heatmap(weights))]
    assert classes == ["number on-cool", "number on-mid", "number on-cool", "number on-hot"]
    layout = HeatmapLayout(Axis(["a", "b"], [0, 1], [0]))
    signed = signed_map(np.array([[0.5, 0.6], [-0.5, -0.6]]), layout, 1.0)
    classes = [text.get("class") for text in number_texts(signed)]
    assert classes == ["number on-cool", "number on-hot", "number on-cool", "number on-hot"]


def test_a_thumbnail_has_every_cell_and_neither_labels_nor_numbers():
    weights = random_weights(6)
    svg = thumbnail(weights)
    assert list(parse_svg(svg).iterfind(f".//{SVG_NAMESPACE}text")) == []
    drawn = {(y // 14, x // 14): level for x, y, _, level in cell_strokes(svg)}
    expected = np.rint(weights * 20)
    assert drawn == {(i, j): expected[i, j] for i, j in np.argwhere(expected).tolist()}


@pytest.mark.parametrize("n", [3, 9])
def test_keys_are_named_along_the_top_and_queries_down_the_side(n):
    svg = parse_svg(draw_heatmap(random_weights(n)))
    ground = svg.find(f".//{SVG_NAMESPACE}rect[@class='ground']")
    cell = int(ground.get("width")) // n
    group = svg.find(f"{SVG_NAMESPACE}g")
    left, top = map(int, re.fullmatch(r"translate\((\d+) (\d+)\)", group.get("transform")).groups())
    columns, rows = {}, {}
    for text in svg.iterfind(f"{SVG_NAMESPACE}text"):
        if text.get("class") == "key":
            x, y = text.get("x"), text.get("y")
            if turned := text.get("transform"):
                x, y = re.match(r"translate\(([\d.]+) ([\d.]+)\) rotate\(-90\)", turned).groups()
            assert float(y) < top
            columns[int(float(x) - left) // cell] = text.text
        else:
            assert float(text.get("x")) < left
            rows[int(float(text.get("y")) - top) // cell] = text.text
    assert columns == rows == dict(enumerate(labels_of(n)))


def test_only_short_sentences_have_numbers_in_their_cells():
    assert draw_heatmap(random_weights(7)).count('class="number') == 49
    weights = random_weights(3)
    assert numbers_in_cells(draw_heatmap(weights)) == {
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
    assert float(frame.get("y")) == 40 - 1
    assert float(frame.get("height")) == 2 * 40 + 2
    assert [t.text for t in svg.iterfind(f"{SVG_NAMESPACE}text[@class='query chosen']")] == [
        "w1",
        "w2",
    ]


def test_marked_cells_rows_and_columns_are_outlined():
    layout = HeatmapLayout(Axis(labels_of(4), range(4), (0,)))
    areas = [Area(range(2, 3), range(1, 2)), Area(range(4), range(3, 4))]
    svg = parse_svg(heatmap(random_weights(4), layout, areas))
    (marked,) = svg.iterfind(f".//{SVG_NAMESPACE}path[@class='marked']")
    size = layout.cells.cell_size
    assert marked.get("d") == (
        f"M{size} {2 * size}h{size}v{size}h-{size}zM{3 * size} 0h{size}v{4 * size}h-{size}z"
    )
    assert "marked" not in heatmap(random_weights(4), layout)


def test_pieces_of_a_word_are_joined_by_a_bracket_on_both_axes():
    svg = draw_heatmap(random_weights(4), ["a", "zy", "zz", "b"], [0, 1, 1, 2])
    top, side = re.findall(r'class="word-bracket" d="M(\d+) (\d+)([HV])(\d+)"', svg)
    layout = HeatmapLayout(Axis(["a", "zy", "zz", "b"], [0, 1, 1, 2], [0]))
    begin, end = layout.left + 40 + 3, layout.left + 3 * 40 - 3
    assert top == (str(begin), str(layout.top - 4), "H", str(end))
    begin, end = layout.top + 40 + 3, layout.top + 3 * 40 - 3
    assert side == (str(layout.left - 4), str(begin), "V", str(end))


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


def test_hidden_rows_are_dashed_outlines_without_colour_and_number():
    weights = random_weights(4)
    layout = HeatmapLayout(Axis(labels_of(4), range(4), [1]))
    svg = heatmap(weights, layout, hidden_rows=[0, 2, 3])
    assert set(numbers_in_cells(svg)) == {(1, column) for column in range(4)}
    assert {y // 40 for _, y, _, _ in cell_strokes(svg)} == {1}
    outline = parse_svg(svg).find(f".//{SVG_NAMESPACE}path[@class='hidden-cells']").get("d")
    assert len(re.findall("M", outline)) == 12
    maximum = parse_svg(svg).find(f".//{SVG_NAMESPACE}path[@class='maximum']").get("d")
    assert len(re.findall("M", maximum)) == 1
    assert "hidden-cells" not in heatmap(weights, layout)


def test_hidden_rows_of_a_signed_map_show_nothing_either():
    values = np.array([[1.0, -np.inf], [0.5, -2.0]])
    layout = HeatmapLayout(Axis(["a", "b"], [0, 1], [1]))
    svg = signed_map(values, layout, 2.0, hidden_rows=[0])
    assert set(numbers_in_cells(svg)) == {(1, 0), (1, 1)}
    assert {y // 40 for _, y, _, _ in cell_strokes(svg)} == {1}
    assert (
        re.findall("M", parse_svg(svg).find(f".//{SVG_NAMESPACE}path[@class='forbidden']").get("d"))
        == []
    )
