import itertools
import re
from math import isfinite
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.picture.charts import (
    WIDTH,
    Bar,
    DotColumn,
    DotLine,
    Interval,
    Series,
    bar_chart,
    dot_chart,
    dot_line_chart,
    interval_chart,
    line_chart,
    round_ticks,
    signed_column_chart,
)

values = st.floats(-1e3, 1e3, allow_nan=False).map(lambda value: round(value, 4))


def parse_svg(svg):
    return ElementTree.fromstring(svg)  # noqa: S314


def attribute_values(svg, tag, name):
    """The numbers of one attribute of every element of a tag."""
    return [float(e.get(name)) for e in parse_svg(svg).iter(tag) if e.get(name)]


@given(values, values)
def test_ticks_are_few_even_and_cover_the_range(one, other):
    low, high = min(one, other), max(one, other)
    ticks = round_ticks(low, high)
    steps = [b - a for a, b in itertools.pairwise(ticks)]
    assert ticks[0] <= low + 1e-6
    assert ticks[-1] >= high - 1e-6
    assert 3 <= len(ticks) <= 8
    assert all(step == pytest.approx(steps[0]) for step in steps)


def test_ticks_are_round_numbers():
    assert round_ticks(3.62, 3.93) == [3.6, 3.7, 3.8, 3.9, 4.0]
    assert round_ticks(0, 4) == [0, 1, 2, 3, 4]


@given(st.lists(values, min_size=2, max_size=9))
def test_lines_stay_inside_the_picture_and_higher_values_are_higher(heights):
    svg = line_chart([Series("a", list(enumerate(heights)), 0)], x_label="steps", y_label="loss")
    path = re.search(r'class="line line-0" d="M([^"]*)"', svg).group(1)
    points = [tuple(map(float, point.split())) for point in path.split("L")]
    assert len(points) == len(heights)
    assert all(isfinite(y) and 0 <= x <= WIDTH and 0 <= y <= 230 for x, y in points)
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    down = [points[i][1] for i in order]
    assert down == sorted(down, reverse=True)


def test_names_of_lines_that_end_together_do_not_overlap():
    series = [Series(f"{n} heads", [(0, 5), (10, 3.6 + n / 1000)], n) for n in range(4)]
    svg = line_chart(series, x_label="steps", y_label="loss")
    heights = sorted(
        float(y) for y in re.findall(r'class="name name-\d" x="\d+" y="([\d.]+)"', svg)
    )
    assert len(heights) == 4
    assert all(b - a >= 13 for a, b in itertools.pairwise(heights))


def test_lines_of_one_kind_share_their_name():
    series = [Series("1 head", [(0, 5), (9, y)], 0) for y in (3.9, 3.91)]
    svg = line_chart(series, x_label="x", y_label="y")
    assert svg.count('class="line line-0"') == 2
    assert svg.count("1 head") == 1


def test_columns_are_in_order():
    svg = dot_chart([DotColumn("1", 4.0), DotColumn("2", 3.5)], x_label="heads", y_label="found")
    first, second = (
        (float(circle.get("cx")), float(circle.get("cy")))
        for circle in parse_svg(svg).iter("circle")
    )
    assert first[0] < second[0]
    assert first[1] < second[1]
    ticks = re.findall(r'<text class="tick" x="([\d.]+)" y="\d+" text-anchor="middle">(\d)<', svg)
    assert [(float(x), name) for x, name in ticks] == [(first[0], "1"), (second[0], "2")]


def test_a_line_of_dots_goes_through_the_means_and_has_its_name():
    lines = [
        DotLine("seed 0", [("1", [4.0]), ("2", [3.0])]),
        DotLine("seeds 1, 2", [("1", [5.0, 4.0]), ("2", [4.0, 3.5])]),
    ]
    svg = dot_line_chart(lines, x_label="heads", y_label="loss")
    for kind, line in enumerate(lines):
        path = re.search(rf'class="line line-{kind}" d="M([^"]+)"', svg).group(1)
        points = [tuple(map(float, each.split())) for each in path.split("L")]
        dots = [
            (float(circle.get("cx")), float(circle.get("cy")))
            for circle in parse_svg(svg).iter("circle")
            if circle.get("class") == f"dot dot-{kind}"
        ]
        assert len(dots) == sum(len(values) for _, values in line.columns)
        for x, y in points:
            heights = [dot_y for dot_x, dot_y in dots if dot_x == x]
            assert y == pytest.approx(sum(heights) / len(heights), abs=0.11)
        assert f">{line.name}</text>" in svg


def test_only_a_marked_bar_is_outlined():
    svg = bar_chart([Bar("a", 1), Bar("b", 2, is_marked=True)])
    assert [rect.get("class") for rect in parse_svg(svg).iter("rect")] == [
        "bar-value",
        "bar-value is-marked",
    ]


def test_counts_begin_at_zero():
    svg = dot_chart([DotColumn("4", 7)], x_label="heads", y_label="found", from_zero=True)
    assert ">0</text>" in svg


@given(st.lists(values, min_size=1, max_size=8))
def test_bars_are_as_long_as_their_values_on_the_side_of_their_sign(heights):
    svg = bar_chart([Bar(f"0.{i}", value) for i, value in enumerate(heights)])
    zero = float(re.search(r'class="axis-line" d="M([\d.]+) ', svg).group(1))
    lefts, widths = attribute_values(svg, "rect", "x"), attribute_values(svg, "rect", "width")
    longest = max(map(abs, heights))
    for value, left, width in zip(heights, lefts, widths, strict=True):
        side = left - zero if value >= 0 else left + width - zero
        assert side == pytest.approx(0, abs=0.2)
        assert width * longest == pytest.approx(max(widths) * abs(value), abs=0.11 * longest + 1e-6)


@given(st.lists(values, min_size=1, max_size=40))
def test_columns_are_as_high_as_their_values_on_the_side_of_their_sign(heights):
    svg = signed_column_chart(heights)
    tops, sizes = attribute_values(svg, "rect", "y"), attribute_values(svg, "rect", "height")
    classes = [rect.get("class") for rect in parse_svg(svg).iter("rect")]
    largest = max(map(abs, heights)) or 1
    for value, top, size, name in zip(heights, tops, sizes, classes, strict=True):
        assert size == pytest.approx(45 * abs(value) / largest, abs=0.01)
        assert (top + size if value > 0 else top) == pytest.approx(45, abs=0.02)
        assert name == ("rise" if value > 0 else "fall")


def test_an_interval_shows_its_share_its_ends_and_its_baselines():
    rows = [Interval("a → b", 0.5, 0.4, 0.6, (0.3, 0.2), True), Interval("c", 0, 0, 1, (), False)]
    svg = interval_chart(rows)
    assert svg.count(' found"') == 2
    share = attribute_values(svg, "circle", "cx")[0]
    low, high = map(float, re.search(r'interval found" d="M([\d.]+) \d+H([\d.]+)', svg).groups())
    assert share - low == pytest.approx(high - share, abs=0.11)
    assert len(re.findall(r"M[\d.]+ \d+v12", svg)) == 2


def test_words_in_charts_are_escaped():
    series = [Series("<b>", [(0, 0), (1, 1)], 0)]
    for svg, texts in (
        (line_chart(series, x_label="<x>", y_label="<y>&"), {"<b>", "<x>", "<y>&"}),
        (dot_chart([DotColumn("<b>", 1)], x_label="<x>", y_label="<y>&"), {"<b>", "<x>", "<y>&"}),
        (
            dot_line_chart([DotLine("<l>", [("<b>", [1, 2])])], x_label="<x>", y_label="<y>&"),
            {"<l>", "<b>", "<x>", "<y>&"},
        ),
        (bar_chart([Bar("<b>", 1)]), {"<b>"}),
        (bar_chart([Bar("b", 1)], lambda _: "<1"), {"b", "<1"}),
        (interval_chart([Interval("<b>", 0, 0, 1, (), False)]), {"<b>"}),
    ):
        root = parse_svg(svg)
        assert texts <= {text.text for text in root.iter("text")}
        assert {each.tag for each in root.iter()} <= {"svg", "text", "path", "circle", "rect"}


def test_charts_are_named_by_their_numbers_or_axes():
    bars = bar_chart([Bar("<a>", 1.5), Bar("b", -0.25)])
    shares = interval_chart([Interval("det", 0.5, 0.4, 0.6, [0.3], stands_out=False)])
    axes = {"x_label": "heads", "y_label": "loss & more"}
    named = {
        bars: "<a>: +1.50, b: −0.25",
        shares: "det: 0.50",
        line_chart([Series("a", [(0, 1), (1, 2)], 0)], **axes): "loss & more by heads",
        dot_chart([DotColumn("1", 4.0)], **axes): "loss & more by heads",
        dot_line_chart([DotLine("a", [("1", [4.0])])], **axes): "loss & more by heads",
    }
    for svg, name in named.items():
        root = parse_svg(svg)
        assert (root.get("role"), root.get("aria-label")) == ("img", name)
        assert root.get("aria-hidden") is None
    assert parse_svg(signed_column_chart([1.0, -1.0])).get("aria-hidden") == "true"
