"""The words of the shipped lesson: how many, how long, how hard, and how many minutes."""

import pytest

from tests import language
from tests.language import (
    MAX_GRADE,
    MAX_MINUTES,
    MAX_WORDS,
    MAX_WORDS_OF_FIRST_STEP,
    grade,
    long_sentences,
    other_texts,
    paragraphs,
    section,
    texts_of_lesson,
    visible_texts,
    with_section,
)
from tests.readability import flesch_kincaid_grade, words

LESSON = language.shipped_lesson()
STEPS = [pytest.param(step, id=step.slug) for step in LESSON.steps]


def test_all_steps_are_measured():
    assert [step.number for step in LESSON.steps] == list(range(1, 8))


@pytest.mark.parametrize("step", STEPS)
def test_few_words_are_visible_before_anything_is_opened(step):
    allowed = MAX_WORDS_OF_FIRST_STEP if step.number == 1 else MAX_WORDS
    assert step.reading_time.words <= allowed


@pytest.mark.parametrize("step", STEPS)
def test_the_counted_words_are_those_of_the_visible_texts(step):
    """Count again from the paragraphs; those for other sentences are visible texts, too."""
    counted = sum(len(words(text)) for text in visible_texts(step))
    of_other_sentences = sum(
        len(words(text))
        for segment in step.segments
        if segment.condition == "own"
        for text in language.prose_of_all((segment,))
    )
    assert step.reading_time.words == counted - of_other_sentences


@pytest.mark.parametrize("step", STEPS)
def test_no_sentence_of_a_step_is_long(step):
    assert long_sentences([*visible_texts(step), *other_texts(step)]) == []


def test_no_sentence_of_the_end_page_and_the_glossary_is_long():
    assert long_sentences(texts_of_lesson(LESSON)) == []


@pytest.mark.parametrize("texts", [visible_texts, other_texts])
@pytest.mark.parametrize("step", STEPS)
def test_the_prose_asks_for_at_most_eight_years_of_school(step, texts):
    assert grade(texts(step)) <= MAX_GRADE


def test_the_lesson_takes_at_most_twelve_minutes():
    assert sum(step.reading_time.minutes for step in LESSON.steps) <= MAX_MINUTES
    assert LESSON.minutes <= MAX_MINUTES


@pytest.mark.parametrize("step", STEPS)
def test_the_options_of_a_check_are_about_equally_long(step):
    lengths = [len(option.text) for option in step.config.check.options]
    assert max(lengths) <= 1.5 * min(lengths)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_has_its_formula_its_shapes_and_its_code_folded_away(step):
    folded = [segment for segment in step.segments if segment.kind == "deeper"]
    inner = [each for segment in folded for each in segment.segments]
    assert "shapes" in {each.kind for each in inner}
    assert any('class="formula"' in each.html for each in inner)
    assert step.config.code and "code" in {segment.kind for segment in step.segments}


@pytest.mark.parametrize("step", STEPS)
def test_every_source_has_a_link(step):
    assert step.config.citations
    assert all(citation.links for citation in step.config.citations)


def test_paragraphs_items_and_cells_are_texts_of_their_own():
    html = "<p>One <b>two</b></p><ul><li>three</li></ul><table><tr><td>four</td></tr></table>"
    assert paragraphs(html) == ["One two", "three", "four"]


def test_a_formula_is_one_word():
    assert paragraphs("<p>Since <math><mi>d</mi><mo>=</mo></math>.</p>") == ["Since x."]


def test_titles_and_cells_have_no_grade():
    sentence = "The cat sat down."
    assert grade([sentence, "Multi-head attention", "8 patterns"]) == grade([sentence])
    assert grade([sentence, "It has (“many”)."]) == flesch_kincaid_grade([sentence, "It has many."])


def test_a_sentence_of_twenty_words_is_not_long():
    assert long_sentences(["a " * 19 + "a."]) == []
    assert len(long_sentences(["a " * 20 + "a. " + "A " * 20 + "a."])) == 2


def test_the_section_replaces_the_one_before_and_nothing_else():
    report = f"# Quality\n\nText.\n\n{section(LESSON)}\n## More\n\nRest.\n"
    replaced = with_section(report, section(LESSON))
    assert replaced == report
    assert with_section("# Quality\n\nText.\n", "## New\n").endswith("Text.\n\n## New\n")
