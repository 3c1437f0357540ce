import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from app.picture import Axis, HeatmapLayout, downsampled_thumbnail, heatmap, token_links
from app.picture.composite import HeadSet, figure_svg, overview_svg

AXIS = Axis(["<a>", "b", "c"], [0, 1, 2], [1])
WORDS = ["<a>", "b & c", "extraordinarily"]


def random_maps(n_heads, n=3, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(n), (n_heads, n))


def draw(layout, maps, word_rows=None):
    rows = maps[:, 1] if word_rows is None else word_rows
    return figure_svg(layout, HeadSet(maps, 1, AXIS, rows, WORDS))


def nested_pictures(svg):
    """(x, y, picture) of each picture inside a picture."""
    return [
        (int(x), int(y), f"<svg {rest}</svg>")
        for x, y, rest in re.findall(r'<svg x="(\d+)" y="(\d+)" (.*?)</svg>', svg)
    ]


def size(svg):
    width, height = re.match(r'<svg [^>]*?width="(\d+)" height="(\d+)"', svg).groups()
    return int(width), int(height)


def test_a_map_and_lines_are_of_the_chosen_head():
    maps = random_maps(3)
    assert draw("map", maps) == heatmap(maps[1], HeatmapLayout(AXIS))
    assert draw("lines", maps) == token_links(maps[1], AXIS)


@pytest.mark.parametrize("n_heads", [1, 3, 4, 5, 8])
def test_a_grid_has_every_head_once_in_order_and_without_overlap(n_heads):
    maps = random_maps(n_heads)
    svg = draw("grid", maps)
    pictures = nested_pictures(svg)
    assert [picture for _, _, picture in pictures] == [
        heatmap(weights, HeatmapLayout(AXIS)) for weights in maps
    ]
    corners = [(y, x) for x, y, _ in pictures]
    assert corners == sorted(set(corners))
    width, height = size(pictures[0][2])
    xs, ys = sorted({x for x, _, _ in pictures}), sorted({y for _, y, _ in pictures})
    assert len(xs) == min(4, n_heads)
    assert all(after - before > width for before, after in itertools.pairwise(xs))
    assert all(after - before > height for before, after in itertools.pairwise(ys))
    assert size(svg) == (xs[-1] + width + 4, ys[-1] + height + 4)


def test_a_strip_has_every_word_at_the_level_of_its_weight():
    rows = np.array([[0.05, 0.7, 0.25], [0.45, 0.55, 0.0]])
    root = ElementTree.fromstring(draw("strip", random_maps(2), rows))  # noqa: S314
    paths = [path for path in root.iter("path") if path.get("class").startswith("heat-")]
    levels = [int(path.get("class").removeprefix("heat-")) for path in paths]
    assert levels == [1, 14, 5, 9, 11, 0]
    assert [(text.get("class"), text.text) for text in root.iter("text")] == [
        ("name", "Head 0"),
        ("number on-cool", "<a>"),
        ("number on-cool", ".05"),
        ("number on-hot", "b & c"),
        ("number on-hot", ".70"),
        ("number on-cool", "extraordinarily"),
        ("number on-cool", ".25"),
        ("name", "Head 1"),
        ("number on-cool", "<a>"),
        ("number on-cool", ".45"),
        ("number on-mid", "b & c"),
        ("number on-mid", ".55"),
        ("number on-cool", "extraordinarily"),
        ("number on-cool", "0"),
    ]


def test_a_strip_escapes_weights_near_0_and_1():
    rows = np.array([[0.001, 0.998, 0.001]])
    root = ElementTree.fromstring(draw("strip", random_maps(1), rows))  # noqa: S314
    assert [text.text for text in root.iter("text")][2::2] == ["<.01", ">.99", "<.01"]


def test_each_strip_outlines_the_word_with_the_largest_weight():
    rows = np.array([[0.05, 0.7, 0.25], [0.5, 0.3, 0.2]])
    root = ElementTree.fromstring(draw("strip", random_maps(2), rows))  # noqa: S314
    starts = re.findall(r"M(\d+) (\d+)h", " ".join(path.get("d") for path in root.iter("path")))
    outlines = [(int(r.get("x")) + 1, int(r.get("y")) + 20) for r in root.iter("rect")]
    assert outlines == [tuple(map(int, starts[1])), tuple(map(int, starts[3]))]


@pytest.mark.parametrize("n", [3, 30])
def test_an_overview_has_a_row_for_each_layer_and_a_column_for_each_head(n):
    layers = [random_maps(3, n, seed) for seed in range(2)]
    svg = overview_svg(layers)
    pictures = nested_pictures(svg)
    assert [picture for _, _, picture in pictures] == [
        downsampled_thumbnail(weights) for maps in layers for weights in maps
    ]
    side, _ = size(pictures[0][2])
    xs, ys = sorted({x for x, _, _ in pictures}), sorted({y for _, y, _ in pictures})
    assert [(x, y) for x, y, _ in pictures] == [(x, y) for y in ys for x in xs]
    assert xs[1] - xs[0] > side
    assert ys[1] - ys[0] > side
    assert size(svg)[0] >= xs[-1] + side
    assert size(svg)[1] >= ys[-1] + side
