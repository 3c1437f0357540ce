from xml.etree import ElementTree

import pytest

from app.exports.figure import difference_svg, row_svg, view_svg
from app.exports.metadata import figure_title, row_title
from app.picture.number_format import format_cell
from tests.exports.lab_states import CSS_RULES, make_lab_state


@pytest.mark.parametrize("layout", ["grid", "map", "lines", "strip", "overview"])
@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a & b", "a <b> c"])
def test_what_was_typed_is_escaped_in_every_layout(models, layout, text):
    state = make_lab_state(models, text=text)
    root = ElementTree.fromstring(view_svg(state, layout, CSS_RULES))  # noqa: S314
    assert root[0].text == figure_title(state)
    tags = {each.tag.partition("}")[2] for each in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "g", "path", "text"}
    if layout != "overview":
        labels = state.word_texts if layout == "strip" else state.axis.labels
        drawn = {"".join(each.itertext()) for each in root.iter() if each.tag.endswith("text")}
        assert {label for label in labels if len(label) <= 12} <= drawn


def test_an_overview_has_a_thumbnail_of_every_head_of_every_layer(models):
    state = make_lab_state(models, "headwise-h8")
    root = ElementTree.fromstring(view_svg(state, "overview", CSS_RULES))  # noqa: S314
    named = [each.text for each in root.iter() if each.get("class") == "name"]
    assert named == [*map(str, range(8)), "Layer 0", "Layer 1"]
    small = [each for each in root.iter() if "map-thumb" in (each.get("class") or "")]
    assert len(small) == 16


@pytest.mark.parametrize("layout", ["grid", "map", "lines", "strip"])
@pytest.mark.parametrize("text", ["cat", "zyzzyva <b> 雪", "the cat " * 20])
def test_every_layout_is_a_picture(models, layout, text):
    state = make_lab_state(models, "headwise-h8", text=text, head=0)
    root = ElementTree.fromstring(view_svg(state, layout, CSS_RULES))  # noqa: S314
    heads = [each.text for each in root.iter() if each.get("class") == "name"]
    named = [f"Head {head}" for head in range(8)]
    assert heads == (named if layout in ("grid", "strip") else [])


def test_a_strip_has_the_weights_of_the_word_in_each_head(models):
    state = make_lab_state(models, text="Birds sing at dawn")
    root = ElementTree.fromstring(view_svg(state, "strip", CSS_RULES))  # noqa: S314
    texts = [e.text for e in root.iter() if (e.get("class") or "").startswith("number")]
    rows = [dict(zip(texts[k : k + 8 : 2], texts[k + 1 : k + 8 : 2], strict=True)) for k in (0, 8)]
    for head, row in enumerate(rows):
        assert list(row) == ["Birds", "sing", "at", "dawn"]
        assert row == {
            word.text: format_cell(float(weight))
            for word, weight in zip(state.sentence.words, state.maps[head][0], strict=True)
        }


def test_a_difference_needs_a_head_to_compare_with(models):
    with pytest.raises(ValueError, match="No head is chosen"):
        difference_svg(make_lab_state(models), CSS_RULES)
    picture = difference_svg(make_lab_state(models, minus=("headwise-h1", 0)), CSS_RULES)
    assert "Minus head 0 of headwise-h1." in picture
    assert "rise-" in picture


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a & b", "the cat " * 20])
def test_a_row_is_a_picture_with_its_provenance_once(models, text):
    state = make_lab_state(models, "headwise-h8", text=text)
    svg = row_svg(state, CSS_RULES)
    root = ElementTree.fromstring(svg)  # noqa: S314
    assert root[0].text == row_title(state)
    assert f"headwise-h8 (trained), layer 1, head 1, on “{state.sentence.text}”" in row_title(state)
    assert svg.count("headwise-h8") == 1
    tags = {each.tag.partition("}")[2] for each in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "g", "path", "text", "tspan"}
    numbers = {"".join(each.itertext()) for each in root.iter() if each.tag.endswith("text")}
    assert format_cell(float(state.trace.weights[1, 0].max())) in numbers
    assert root.get("role") == "img"
