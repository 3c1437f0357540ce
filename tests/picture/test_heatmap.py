import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.picture import Area, Axis, HeatmapLayout, heatmap, signed_map, signed_thumbnail, thumbnail
from app.picture.heatmap import block_maxima, downsampled_thumbnail
from app.picture.number_format import format_cell, format_signed_cell
from app.picture.text_width import text_width

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


def cell_size(svg):
    """The size of the cells of a map with a label for each row."""
    root = parse_svg(svg)
    ground = root.find(f".//{SVG_NAMESPACE}rect[@class='ground']")
    queries = [t for t in root.iter(f"{SVG_NAMESPACE}text") if "query" in t.get("class").split()]
    return int(ground.get("width")) // len(queries)


def numbers_in_cells(svg):
    """The number of each cell, by row and column."""
    size = cell_size(svg)
    return {
        (int(float(text.get("y")) // size), int(float(text.get("x")) // size)): text.text
        for text in number_texts(svg)
    }


def cell_strokes(svg, size):
    """(row, column, length, level) of every stroke; values below 0 have negative levels."""
    strokes = []
    for group in parse_svg(svg).iter(f"{SVG_NAMESPACE}g"):
        if "cells" not in (group.get("class") or "").split():
            continue
        for path in group:
            name, level = path.get("class").split("-")
            level = -int(level) if name == "fall" else int(level)
            for x, y, length in re.findall(r"M([\d.]+) ([\d.]+)h(\d+)", path.get("d")):
                assert size - 2 <= int(length) <= size
                strokes.append((int(float(y) // size), int(float(x) // size), level))
    return strokes


def drawn_levels(svg, n, size):
    """The level of each cell; no cell is drawn twice, and none at level 0."""
    levels = np.zeros((n, n), int)
    for row, column, level in cell_strokes(svg, size):
        assert level
        assert levels[row, column] == 0
        levels[row, column] = level
    return levels


@pytest.mark.parametrize("n", [1, 4, 8, 12, 14, 15, 40, 48])
def test_every_cell_is_drawn_once_at_its_own_level(n):
    weights = random_weights(n)
    for columns in (1, 2, 3, 5):
        layout = HeatmapLayout(Axis(labels_of(n), range(n), [0]), columns)
        svg = heatmap(weights, layout)
        expected = np.rint(weights * 20)
        np.testing.assert_array_equal(drawn_levels(svg, n, layout.cells.cell_size), expected)


@pytest.mark.parametrize("n", [3, 8, 20])
def test_every_signed_cell_is_drawn_once_at_its_own_level(n):
    values = np.random.default_rng(n).uniform(-3, 3, (n, n))
    layout = HeatmapLayout(Axis(labels_of(n), range(n), [0]))
    thumbnail_cell = {3: 14, 8: 8, 20: 4}[n]
    for svg, cell in (
        (signed_map(values, layout, 2.0), layout.cells.cell_size),
        (signed_thumbnail(values, 2.0), thumbnail_cell),
    ):
        expected = np.rint(np.clip(values / 2, -1, 1) * 10)
        np.testing.assert_array_equal(drawn_levels(svg, n, cell), expected)


def test_masked_scores_are_crossed_out_and_have_no_colour():
    scores = np.array([[1.0, -np.inf], [0.5, -2.0]])
    svg = signed_map(scores, HeatmapLayout(Axis(["a", "b"], [0, 1], [0])), 2.0)
    crosses = parse_svg(svg).find(f".//{SVG_NAMESPACE}path[@class='forbidden']").get("d")
    ((x, y),) = re.findall(r"M(\d+) (\d+)l", crosses)
    assert (int(y) // 40, int(x) // 40) == (0, 1)
    assert len(cell_strokes(svg, 40)) == 3
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
    signed = signed_map(np.array([[0.5, 0.6], [-0.8, -0.9]]), layout, 1.0)
    classes = [text.get("class") for text in number_texts(signed)]
    assert classes == ["number on-cool", "number on-mid", "number on-mid", "number on-hot"]


def test_a_thumbnail_has_every_cell_and_neither_labels_nor_numbers():
    weights = random_weights(6)
    svg = thumbnail(weights)
    assert list(parse_svg(svg).iterfind(f".//{SVG_NAMESPACE}text")) == []
    np.testing.assert_array_equal(drawn_levels(svg, 6, 14), np.rint(weights * 20))


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("n", [1, 3, 5, 7, 9, 16])
def test_keys_are_named_along_the_top_and_queries_down_the_side(n, columns):
    layout = HeatmapLayout(Axis(labels_of(n), range(n), [0]), columns)
    svg = parse_svg(heatmap(random_weights(n), layout))
    size, left, top = layout.cells.cell_size, layout.left, layout.top
    group = svg.find(f"{SVG_NAMESPACE}g[@transform]")
    assert group.get("transform") == f"translate({left} {top})"
    keys, queries = {}, {}
    for text in svg.iter(f"{SVG_NAMESPACE}text"):
        if text.get("class") == "key":
            x, y = text.get("x"), text.get("y")
            if turned := text.get("transform"):
                pattern = r"translate\(([\d.]+) ([\d.]+)\) rotate\(-(60|75|90)\)"
                x, y, _ = re.match(pattern, turned).groups()
            assert float(y) < top
            keys[int((float(x) - left) // size)] = text.text
        elif text.get("class") in ("query", "query chosen"):
            assert float(text.get("x")) < left
            queries[int((float(text.get("y")) - top) // size)] = text.text
    expected = dict(enumerate(labels_of(n)))
    if layout.names_all:
        assert keys == queries == expected
    hidden = svg.find(f"{SVG_NAMESPACE}g[@display='none']")
    assert (hidden is None) == layout.names_all
    texts = [text.text for text in svg.iter(f"{SVG_NAMESPACE}text") if text.get("class") == "key"]
    assert texts == labels_of(n)


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("n", range(1, 17))
@pytest.mark.parametrize("word", ["a", "cat", "followed", "internationally", "雪雪雪", "WWWWWWWW"])
def test_a_map_is_no_wider_than_its_share_of_a_lab_or_a_phone(n, columns, word):
    layout = HeatmapLayout(Axis([word] * n, range(n), [n - 1]), columns)
    assert layout.fits
    assert not layout.scrolls
    in_lab = (745 - 12 * (columns - 1)) / columns
    on_phone = 296 if columns <= 2 else (296 - 8) / 2
    least_scale = min(1, in_lab / layout.width, on_phone / layout.width)
    assert layout.width <= in_lab
    box_width = float(re.search(r'viewBox="0 0 (\d+) ', layout.tag)[1])
    # Text has 12 px or more where the map is smallest.
    smallest = min(layout.width, on_phone)
    assert layout.size.font_size * smallest / box_width >= 11.9
    assert least_scale > 0.6


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("n", [1, 3, 4, 6, 8, 11, 16])
@pytest.mark.parametrize("word", ["a", "followed", "internationally", "雪雪雪", "WWWWWWWW"])
def test_labels_stay_inside_the_picture_and_do_not_overlap(n, columns, word):
    layout = HeatmapLayout(Axis([word] * n, range(n), [0]), columns)
    svg = parse_svg(heatmap(random_weights(n), layout))
    _, _, width, height = map(float, svg.get("viewBox").split())
    shown = [
        text
        for group in [svg, *svg.findall(f"{SVG_NAMESPACE}g")]
        if group.get("display") != "none"
        for text in group.findall(f"{SVG_NAMESPACE}text")
    ]
    size = layout.cells.cell_size
    for text in shown:
        if text.get("class").startswith("number"):
            continue
        font_size = layout.size.font_size
        content = text[0].tail if len(text) else text.text
        length = text_width(content, font_size, bold="chosen" in text.get("class"))
        if text.get("class") == "key-name":
            middle = layout.left + float(text.get("x"))
            assert middle - length / 2 >= 0
            assert middle + length / 2 <= width + 0.1
        elif text.get("class") == "key":
            if turned := text.get("transform"):
                x, y, angle = map(float, re.findall(r"[\d.]+", turned))
                descent = font_size * 0.25 * math.sin(math.radians(angle))
                assert x + length * math.cos(math.radians(angle)) + descent <= width + 0.1
                assert y - length * math.sin(math.radians(angle)) >= 0
                assert size * math.sin(math.radians(angle)) >= 11
            else:
                assert length <= size
        else:
            assert float(text.get("x")) - length >= -0.1
            assert 0 <= float(text.get("y")) <= height


def test_maps_of_tiny_cells_name_the_asking_word_and_the_key_that_it_reads_most():
    n = 12
    weights = random_weights(n)
    labels = [f"word{i}" for i in range(n)]
    svg = parse_svg(heatmap(weights, HeatmapLayout(Axis(labels, range(n), [3]), 4)))
    (query,) = svg.iterfind(f".//{SVG_NAMESPACE}text[@class='query-name chosen']")
    (key,) = svg.iterfind(f".//{SVG_NAMESPACE}text[@class='key-name']")
    assert (query.text, key.text) == ("word3", f"word{weights[3].argmax()}")
    layout = HeatmapLayout(Axis(labels, range(n), [3]), 4)
    assert "key-name" in heatmap(weights, layout, hidden_rows=[2])
    assert "key-name" not in heatmap(weights, layout, hidden_rows=[3])


def test_large_cells_have_numbers():
    for n, columns in ((1, 1), (4, 5), (4, 4), (7, 1), (9, 1), (10, 2)):
        layout = HeatmapLayout(Axis(labels_of(n), range(n), [0]), columns)
        assert layout.cells.cell_size >= 22
        weights = random_weights(n)
        assert numbers_in_cells(heatmap(weights, layout)) == {
            (i, j): format_cell(float(weights[i, j])) for i in range(n) for j in range(n)
        }
    for n, columns in ((6, 5), (11, 1), (13, 2), (48, 1)):
        layout = HeatmapLayout(Axis(labels_of(n), range(n), [0]), columns)
        assert layout.cells.cell_size * layout.size.scale < 26
        assert 'class="number' not in heatmap(random_weights(n), layout)


@pytest.mark.parametrize(("cell_size", "is_condensed"), [(26, True), (34, False)])
def test_numbers_that_are_wider_than_narrow_cells_are_condensed(cell_size, is_condensed):
    weights = np.array([[0.001, 0.999], [0.25, 0.75]])
    layout = HeatmapLayout(Axis(["a", "b"], range(2), [0]), cell_size=cell_size)
    for text in parse_svg(heatmap(weights, layout)).iterfind(
        f".//{SVG_NAMESPACE}text[@textLength]"
    ):
        assert is_condensed
        assert text.text in ("<.01", ">.99")
        assert float(text.get("textLength")) <= cell_size - 6
    assert heatmap(weights, layout).count("textLength") == 2 * is_condensed


def test_each_row_has_its_largest_cell_outlined():
    weights = random_weights(5)
    assert maxima(draw_heatmap(weights), 40) == [(row, weights[row].argmax()) for row in range(5)]


def maxima(svg, size):
    outline = parse_svg(svg).find(f".//{SVG_NAMESPACE}path[@class='maximum']")
    corners = re.findall(r"M([\d.]+) ([\d.]+)h", outline.get("d"))
    return [(int(float(y) // size), int(float(x) // size)) for x, y in corners]


@pytest.mark.parametrize("n", [4, 7, 12, 16])
@pytest.mark.parametrize("rows", [[1], [0, 3], [2, 1]])
def test_nothing_is_drawn_of_hidden_rows_but_dashes(n, rows):
    weights = random_weights(n)
    hidden = [row for row in range(n) if row not in rows]
    layout = HeatmapLayout(Axis(labels_of(n), range(n), rows[:1]))
    size = layout.cells.cell_size
    svg = heatmap(weights, layout, hidden_rows=hidden)
    expected = np.zeros((n, n), int)
    expected[rows] = np.rint(weights[rows] * 20)
    np.testing.assert_array_equal(drawn_levels(svg, n, size), expected)
    assert maxima(svg, size) == [(row, weights[row].argmax()) for row in sorted(rows)]
    assert {row for row, _ in numbers_in_cells(svg)} <= set(rows)
    dashed = parse_svg(svg).find(f".//{SVG_NAMESPACE}path[@class='hidden-cells']").get("d")
    dashed_rows = {int(float(y) // size) for _, y in re.findall(r"M([\d.]+) ([\d.]+)h", dashed)}
    assert dashed_rows == set(hidden)
    other = weights.copy()
    other[hidden] = 1 / n
    assert heatmap(other, layout, hidden_rows=hidden) == svg
    assert "hidden-cells" not in heatmap(weights, layout)


@pytest.mark.parametrize("n", [4, 9, 12])
def test_signed_maps_hide_the_same_rows_and_put_cells_in_the_same_places(n):
    values = np.random.default_rng(n).uniform(-1, 1, (n, n))
    values[0, 1] = values[2, 3] = -np.inf
    layout = HeatmapLayout(Axis(labels_of(n), range(n), [1]))
    hidden = [row for row in range(n) if row != 2]
    svg = signed_map(values, layout, 1.0, hidden)
    other = np.zeros((n, n))
    other[2] = values[2]
    assert signed_map(other, layout, 1.0, hidden) == svg
    assert len(re.findall("M[^M]+", re.search(r'class="forbidden" d="([^"]*)', svg)[1])) == 1
    assert svg.startswith(layout.tag)
    assert heatmap(np.abs(other), layout).startswith(layout.tag)


@pytest.mark.parametrize("n", [4, 12, 30])
def test_each_cell_below_0_has_a_minus_sign(n):
    values = np.random.default_rng(n).uniform(-1, 1, (n, n))
    below = {tuple(cell) for cell in np.argwhere(np.rint(values * 10) < 0).tolist()}
    layout = HeatmapLayout(Axis(labels_of(n), range(n), [1]), 3)
    for svg, size in (
        (signed_map(values, layout, 1.0), layout.cells.cell_size),
        (signed_thumbnail(values, 1.0), {4: 14, 12: 8, 30: 4}[n]),
    ):
        paths = re.findall(r'<path class="minus [^>]* d="([^"]*)"', svg)
        starts = re.findall(r"M([\d.]+) ([\d.]+)h", "".join(paths))
        assert {(int(float(y) // size), int(float(x) // size)) for x, y in starts} == below
    small = Axis(labels_of(3), range(3), [0])
    numbers = numbers_in_cells(signed_map(values[:3, :3], HeatmapLayout(small), 1.0))
    signs = {cell for cell, text in numbers.items() if text.startswith("−")}
    assert signs == {tuple(cell) for cell in np.argwhere(values[:3, :3] < -0.005).tolist()}


def test_a_named_map_is_an_image_and_others_are_hidden():
    layout = HeatmapLayout(Axis(labels_of(3), range(3), [0]))
    weights = random_weights(3)
    for named, plain in (
        (heatmap(weights, layout, name='a "b" <c>'), heatmap(weights, layout)),
        (signed_map(weights, layout, 1.0, name='a "b" <c>'), signed_map(weights, layout, 1.0)),
        (thumbnail(weights, 'a "b" <c>'), thumbnail(weights)),
        (signed_thumbnail(weights, 1.0, 'a "b" <c>'), signed_thumbnail(weights, 1.0)),
    ):
        svg = parse_svg(named)
        assert (svg.get("role"), svg.get("aria-label")) == ("img", 'a "b" <c>')
        assert svg.get("aria-hidden") is None
        assert parse_svg(plain).get("aria-hidden") == "true"
        assert parse_svg(plain).get("role") is None


def test_the_chosen_rows_are_framed_and_named():
    svg = parse_svg(draw_heatmap(random_weights(4), queries=[1, 2]))
    frame = svg.find(f".//{SVG_NAMESPACE}rect[@class='query-frame']")
    assert float(frame.get("y")) == 40 - 1
    assert float(frame.get("height")) == 2 * 40 + 2
    named = svg.iterfind(f".//{SVG_NAMESPACE}text[@class='query chosen']")
    assert [text.text for text in named] == ["w1", "w2"]


def test_marked_cells_rows_and_columns_are_outlined():
    layout = HeatmapLayout(Axis(labels_of(4), range(4), (0,)))
    areas = [Area(range(2, 3), range(1, 2)), Area(range(4), range(3, 4))]
    svg = parse_svg(heatmap(random_weights(4), layout, areas))
    (marked,) = svg.iterfind(f".//{SVG_NAMESPACE}path[@class='marked']")
    size = layout.cells.cell_size
    cell, column = marked.get("d").split("z")[:2]
    assert cell == layout.cells.outlines[2 * 4 + 1].removesuffix("z")
    width, height = size + 2, 4 * size + 2
    assert column == f"M{3 * size - 1} -1h{width}v{height}h-{width}"
    assert "marked" not in heatmap(random_weights(4), layout)


def test_a_marked_cell_has_no_second_frame_and_halos_are_below_all_frames():
    weights = random_weights(4)
    layout = HeatmapLayout(Axis(labels_of(4), range(4), (0,)))
    top = int(weights[2].argmax())
    cells = [Area(range(2, 3), range(key, key + 1)) for key in range(4)]
    others = [(row, weights[row].argmax()) for row in (0, 1, 3)]
    svg = heatmap(weights, layout, [cells[top]])
    size = layout.cells.cell_size
    assert maxima(svg, size) == others
    assert svg.rindex('class="halo') < svg.index('class="maximum"') < svg.index('class="marked"')
    column = Area(range(4), range(top, top + 1))
    for marked in (cells[top - 1], column):
        svg = heatmap(weights, layout, [marked])
        assert maxima(svg, size) == sorted([*others, (2, top)])


def test_pieces_of_a_word_are_joined_by_a_bracket_on_both_axes():
    svg = draw_heatmap(random_weights(4), ["a", "zy", "zz", "b"], [0, 1, 1, 2])
    top, side = re.findall(r'class="word-bracket" d="M(\d+) (\d+)([HV])(\d+)"', svg)
    layout = HeatmapLayout(Axis(["a", "zy", "zz", "b"], [0, 1, 1, 2], [0]))
    begin, end = layout.left + 40 + 3, layout.left + 3 * 40 - 3
    assert top == (str(begin), str(layout.top - 3), "H", str(end))
    begin, end = layout.top + 40 + 3, layout.top + 3 * 40 - 3
    assert side == (str(layout.left - 3), str(begin), "V", str(end))


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=6))
@example(["<b>", "a & b", "</text>"])
def test_any_label_is_escaped_and_complete_at_least_in_a_tooltip(labels):
    labels = [re.sub(r"[^\x20-\ud7ff\ue000-\ufffd]", "?", label) for label in labels]
    svg = parse_svg(draw_heatmap(random_weights(len(labels)), labels))
    keys = list(svg.iterfind(f".//{SVG_NAMESPACE}text[@class='key']"))
    assert ["".join(k.itertext()) if len(k) == 0 else k[0].text for k in keys] == labels


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
