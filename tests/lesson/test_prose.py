"""Prose is split into fixed text, text that depends on the view, and parts of the step."""

import pytest

from app.lesson.prose import flatten, markers, segments, without_markers


def outline(prose):
    return [
        (each.kind, outline_of(each.segments)) if each.segments else each.kind
        for each in segments(prose)
    ]


def outline_of(inner):
    return [each.kind for each in inner]


def test_prose_is_split_at_its_markers():
    assert outline("One.\n\n::lab\n\nTwo.\n\n::check\n") == ["prose", "lab", "prose", "check"]


def test_markers_have_their_titles_and_line_numbers():
    found = markers("a\n\n::lab\nb ::check\n::deeper The *rest*\n")
    assert [(each.name, each.title, each.line) for each in found] == [
        ("lab", "", 3),
        ("deeper", "The *rest*", 5),
    ]


def test_lines_stay_where_they_are_without_markers():
    prose = "a\n::lab\nb\n::deeper x\nc\n"
    assert without_markers(prose).splitlines() == ["a", "", "b", "", "c"]


def test_only_what_depends_on_the_view_is_live():
    fixed, live, fixed_again = segments("One.\n\nTwo.\n\n**{word}**\n\n- [b](?word=0)\n\nThree.\n")
    assert (fixed.live, live.live, fixed_again.live) == (False, True, False)
    assert fixed.html.count("<p>") == 2
    assert live.html == ""
    assert "<li>" in live.live_html.render({"word": "x"})


def test_each_live_part_has_an_id_of_its_own():
    prose = "{a}\n\nb\n\n{c}\n\n::deeper D\n{d}\n\n::own\ne\n::end\n::end\n"
    ids = [each.id for each in flatten(segments(prose)) if each.live]
    assert ids == ["live-0", "live-1", "live-2", "live-3"]


def test_what_is_folded_away_holds_text_and_parts():
    (deeper,) = segments("::deeper *More*\n\nOne.\n\n::code\n\n{two}\n\n::end\n")
    assert deeper.title == "<em>More</em>"
    assert [each.kind for each in deeper.segments] == ["prose", "code", "prose"]


@pytest.mark.parametrize("condition", ["default", "own"])
def test_text_for_some_sentences_is_live_even_without_gaps(condition):
    before, conditional, after = segments(f"a\n\n::{condition}\nb\n\nc\n::end\n\nd\n")
    assert (before.condition, conditional.condition, after.condition) == (None, condition, None)
    assert conditional.live
    assert not before.live
    assert not after.live
    assert conditional.live_html.render({}).count("<p>") == 2


def test_a_condition_can_be_inside_what_is_folded_away():
    (deeper,) = segments("::deeper D\na\n\n::own\nb\n::end\n\nc\n::end\n")
    assert [each.condition for each in deeper.segments] == [None, "own", None]


def test_unknown_and_unmatched_markers_are_left_out():
    assert outline("a\n\n::nothing\n::end\n\n::deeper D\nb\n") == ["prose", ("deeper", ["prose"])]
