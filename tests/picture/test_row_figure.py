"""The row figure as a table and as one SVG: what both show, and how they show it."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from app.picture.number_format import format_cell
from app.picture.row_flow import row_flow
from app.picture.row_table import row_table
from app.picture.row_values import (
    PARTS,
    GroupQuery,
    Keys,
    OtherKeys,
    RowValues,
    SlicedQuery,
    format_score,
)
from app.picture.text_width import text_width
from app.picture.vector_strip import largest_magnitude, strip_contents

HOSTILE = ["<b>", "a & b", '"><script>x</script>', "it's", "雪", "internationalisation", "🙂"]
DRAWINGS = pytest.mark.parametrize("draw", [row_table, row_flow])


def make_row(n=4, n_heads=4, d_head=8, head=1, labels=None, seed=0, **changes):
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(2 * n + 6, d_head))
    scores = generator.normal(size=n) * 9
    exponentials = np.exp(scores / d_head**0.5)
    weights = exponentials / exponentials.sum()
    labels = labels or [f"w{index}" for index in range(n)]
    output = weights @ vectors[n : 2 * n]
    joined = generator.normal(size=n_heads * d_head)
    joined[head * d_head : (head + 1) * d_head] = output
    row = RowValues(
        label=labels[0],
        head=head,
        n_heads=n_heads,
        divisor=d_head**0.5,
        input=generator.normal(size=n_heads * d_head),
        query=vectors[-1],
        keys=Keys(
            labels,
            [index == 0 for index in range(n)],
            vectors[:n],
            vectors[n : 2 * n],
            scores,
            scores / d_head**0.5,
            weights,
        ),
        other_keys=None,
        output=output,
        is_ablated=False,
        joined=joined,
        added=generator.normal(size=n_heads * d_head),
        group=[GroupQuery(head, vectors[-1], labels[0], float(weights[0]))],
        own_key=vectors[0],
        own_value=vectors[n],
    )
    return replace(row, **changes)


def root_of(drawing):
    return ElementTree.fromstring(drawing.replace("&nbsp;", " "))  # noqa: S314


def texts(element):
    return re.sub(r"\s+", " ", " ".join(element.itertext())).strip()


def parts_of(drawing):
    parts = {each.get("data-part") for each in root_of(drawing).iter()}
    return parts - {None}


@DRAWINGS
def test_every_part_is_there_and_two_only_if_they_are_lit(draw):
    always = set(PARTS) - {"projections"}
    assert parts_of(draw(make_row())) == always
    assert parts_of(draw(make_row(), lit=["projections"])) == set(PARTS)


@DRAWINGS
@pytest.mark.parametrize("part", PARTS)
def test_only_lit_parts_are_emphasised(draw, part):
    assert "tint" not in draw(make_row())
    assert 'class="lit"' not in draw(make_row())
    lit = draw(make_row(), lit=[part])
    if draw is row_flow:
        assert lit.count('class="tint"') == 1
    else:
        emphasised = [each for each in root_of(lit).iter() if each.get("class") == "lit"]
        assert {each.get("data-part") for each in emphasised} == {part}


@DRAWINGS
@pytest.mark.parametrize("n", [1, 2, 4, 10])
def test_each_key_has_its_scores_and_its_weight(draw, n):
    row = make_row(n)
    text = texts(root_of(draw(row)))
    for index, label in enumerate(row.keys.labels):
        assert label in text
        for number in (
            format_score(row.keys.scores[index]),
            format_score(row.keys.masked[index]),
            format_cell(float(row.keys.weights[index])),
        ):
            assert number in text.split(" ")


def test_a_line_of_the_table_has_the_numbers_of_one_key():
    row = make_row(5)
    lines = [
        line
        for line in root_of(row_table(row)).iter("tr")
        if len(line) == 7 and line.get("class") is None
    ]
    assert [texts(line) for line in lines] == [
        f"{label} {format_score(score)} {format_score(masked)} {format_cell(weight)}"
        for label, score, masked, weight in zip(
            row.keys.labels,
            row.keys.scores.tolist(),
            row.keys.masked.tolist(),
            row.keys.weights.tolist(),
            strict=True,
        )
    ]
    bars = [float(bar.get("width")) for bar in root_of(row_table(row)).iter() if is_bar(bar)]
    assert bars == pytest.approx((100 * row.keys.weights).tolist(), abs=0.051)


def is_bar(element):
    return element.get("class") == "bar"


@DRAWINGS
def test_strips_are_those_of_the_vectors(draw):
    row = make_row()
    drawing = draw(row)
    weighted = row.keys.weights[:, None] * row.keys.value
    outputs = largest_magnitude(weighted, row.joined)
    for vectors, largest in (
        (row.query[None], largest_magnitude(row.query)),
        (row.keys.key, largest_magnitude(row.keys.key, row.own_key)),
        (row.keys.value, largest_magnitude(row.keys.value, row.own_value)),
        (weighted, outputs),
        (row.output[None], outputs),
        (row.joined[None], outputs),
        (row.added[None], largest_magnitude(row.added)),
    ):
        for content in strip_contents(vectors, largest):
            assert content in drawing


@DRAWINGS
def test_other_keys_are_one_line_with_their_weight(draw):
    row = make_row(9, other_keys=OtherKeys(24, 0.12, np.ones(8)))
    text = texts(root_of(draw(row)))
    assert "and 24 more" in text
    assert ".12" in text.split(" ")
    (strip,) = strip_contents(
        np.ones((1, 8)), largest_magnitude(row.keys.weighted_values, row.joined)
    )
    assert strip in draw(row)
    assert "more, together" not in draw(make_row(9))


@DRAWINGS
def test_masked_keys_unscaled_scores_and_heads_that_are_off_are_said(draw):
    row = make_row(3)
    masked = row.keys.masked.copy()
    masked[2] = -np.inf
    weights = np.array([0.25, 0.75, 0.0])
    changed = replace(row, keys=replace(row.keys, masked=masked, weights=weights))
    text = texts(root_of(draw(changed)))
    assert "−∞" in text
    assert "mask" in text
    assert "mask" not in texts(root_of(draw(row)))
    assert "not divided" in texts(root_of(draw(replace(row, divisor=None))))
    assert "not divided" not in texts(root_of(draw(row)))
    assert "off" in texts(root_of(draw(replace(row, is_ablated=True))))
    assert "off" not in texts(root_of(draw(row)))


@DRAWINGS
def test_the_first_piece_of_a_word_is_said_to_be_one(draw):
    assert "first piece of chased" in texts(root_of(draw(make_row(piece_of="chased"))))
    assert "piece" not in texts(root_of(draw(make_row())))


@DRAWINGS
def test_heads_that_share_keys_each_have_a_query(draw):
    generator = np.random.default_rng(1)
    queries = generator.normal(size=(3, 8))
    group = [GroupQuery(head, queries[head], f"top{head}", 0.4) for head in range(3)]
    row = make_row(group=group)
    shared = draw(row, lit=["kv-sets"])
    for content in strip_contents(queries, largest_magnitude(queries)):
        assert content in shared
    text = texts(root_of(shared))
    for head in range(3):
        assert f"head {head}" in text
        assert f"top{head} most, 0.40" in text
    assert "top2" not in draw(row)


@DRAWINGS
def test_projections_come_from_all_inputs_and_the_sliced_query_from_few(draw):
    row = make_row()
    text = texts(root_of(draw(row, lit=["projections"])))
    assert "32 numbers" in text
    assert "inputs 8 to 15" not in text
    sliced = replace(row, sliced=SlicedQuery(8, 15, row.query * 0.5))
    drawing = draw(sliced, lit=["projections"])
    assert "inputs 8 to 15" in texts(root_of(drawing))
    (strip,) = strip_contents(row.query[None] * 0.5, largest_magnitude(row.query))
    assert strip in drawing
    assert strip not in draw(sliced)


@DRAWINGS
@pytest.mark.parametrize("lit", [(), ("kv-sets",), ("projections",)])
def test_hostile_words_are_text(draw, lit):
    row = make_row(len(HOSTILE), labels=HOSTILE)
    group = [GroupQuery(1, row.query, HOSTILE[2], 0.4)]
    row = replace(row, group=group, label=HOSTILE[2])
    drawing = draw(row, lit=lit)
    root = root_of(drawing)
    assert "<script" not in drawing
    assert {each.tag for each in root.iter()} <= {
        *("svg", "g", "path", "rect", "text", "tspan", "title"),
        *("div", "p", "span", "bdi", "sub", "table", "tbody", "tr", "th", "td"),
    }
    text = texts(root)
    assert all(label in text for label in HOSTILE)


@pytest.mark.parametrize("n", [1, 4, 10])
@pytest.mark.parametrize(("n_heads", "d_head"), [(1, 128), (8, 16), (4, 32), (12, 64)])
@pytest.mark.parametrize("lit", [(), ("projections", "kv-sets", "scores")])
def test_texts_and_strips_stay_inside_and_do_not_overlap(n, n_heads, d_head, lit):
    labels = ["internationalisation", *HOSTILE, "a", "be"][:n]
    row = make_row(n, n_heads, d_head, head=0, labels=labels, divisor=None)
    root = root_of(row_flow(row, lit=lit))
    width, height = float(root.get("width")), float(root.get("height"))
    boxes = []
    for element in root.iter():
        if element.tag == "text":
            boxes.append(text_box(element))
        elif element.get("class") == "vector":
            boxes.append([float(element.get(name)) for name in ("x", "y", "width", "height")])
    for x, y, box_width, box_height in boxes:
        assert x >= -6
        assert x + box_width <= width - 5
        assert y >= -1
        assert y + box_height <= height
    for index, first in enumerate(boxes):
        for second in boxes[index + 1 :]:
            assert not overlap(first, second), (first, second)


def text_box(element):
    content = "".join(
        element.text or "" if child is None else (child.text or "") + (child.tail or "")
        for child in [None, *[each for each in element if each.tag == "tspan"]]
    )
    titles = [each for each in element if each.tag == "title"]
    if titles:
        content = titles[0].tail
    length = text_width(content, 13)
    x, y = float(element.get("x")), float(element.get("y"))
    if "end" in element.get("class"):
        x -= length
    return [x, y - 10, length, 12]


def overlap(first, second):
    return (
        first[0] < second[0] + second[2]
        and second[0] < first[0] + first[2]
        and first[1] < second[1] + second[3]
        and second[1] < first[1] + first[3]
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.874, "0.87"),
        (-2.031, "−2.03"),
        (14.68, "14.7"),
        (9.996, "10.0"),
        (-120.4, "−120"),
        (-0.001, "0.00"),
        (float("-inf"), "−∞"),
    ],
)
def test_scores_have_three_digits(value, text):
    assert format_score(value) == text
