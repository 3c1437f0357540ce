import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.picture import Axis, token_links


def draw_links(weights, queries=(0,)):
    labels = [f"w{i}" for i in range(len(weights))]
    return token_links(weights, Axis(labels, range(len(weights)), list(queries)))


@given(st.integers(1, 12), st.integers(0, 2**16))
def test_every_visible_weight_has_a_line_and_larger_ones_are_thicker(n, seed):
    weights = np.random.default_rng(seed).dirichlet(np.ones(n) * 0.5, n)
    svg = draw_links(weights)
    assert svg.count("M") == int((np.rint(weights * 20) > 0).sum())
    widths = {}
    for width, path in re.findall(
        r'stroke-width="([\d.]+)" stroke-opacity="[\d.]+" d="([^"]+)"', svg
    ):
        for y0, y1 in re.findall(r"M\d+ (\d+)L\d+ (\d+)", path):
            widths[(int(y0) - 12) // 24, (int(y1) - 12) // 24] = float(width)
    for (query, key), width in widths.items():
        assert width == np.rint(weights[query, key] * 20) / 4


def test_lines_of_the_chosen_query_are_on_top_in_their_own_colour():
    svg = draw_links(np.roll(np.eye(3), 1, axis=1), queries=[1])
    classes = re.findall(r'<path class="(tie[^"]*)"', svg)
    assert classes == ["tie", "tie chosen"]
    (chosen,) = re.findall(r'<path class="tie chosen".*? d="([^"]*)"', svg)
    # From query 1 on the left to key 2 on the right.
    assert re.fullmatch(r"M\d+ 36L\d+ 60", chosen)
    assert re.findall(r'<text class="query chosen"[^>]*>(\w+)<', svg) == ["w1"]


def test_words_are_escaped():
    svg = token_links(np.eye(1), Axis(["<b>&"], [0], [0]))
    assert "&lt;b&gt;&amp;" in svg


def test_queries_are_named_on_the_left_and_keys_on_the_right():
    svg = token_links(np.eye(2), Axis(["a", "b"], [0, 1], [0]))
    texts = re.findall(r'<text class="(\w+)[^"]*" x="(\d+)" y="(\d+)">(\w)</text>', svg)
    middle = int(re.search(r'width="(\d+)"', svg).group(1)) / 2
    names = {
        ("left" if int(x) < middle else "right", int(y) // 24): (kind, text)
        for kind, x, y, text in texts
    }
    assert names == {
        ("left", 0): ("query", "a"),
        ("left", 1): ("query", "b"),
        ("right", 0): ("key", "a"),
        ("right", 1): ("key", "b"),
    }
