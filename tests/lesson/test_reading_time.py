"""How long a step takes follows from its visible words and from what there is to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson import load_lessons
from app.lesson.prose import segments
from app.lesson.reading_time import ReadingTime, count_words, reading_time, total_minutes


@pytest.fixture
def config(folder, models):
    return load_lessons(folder, models).lessons[0].steps[0].config


@pytest.fixture
def time_of(config):
    """The time of a prose beyond that of the other texts of the step."""
    rest = reading_time(config, ())

    def time(prose):
        both = reading_time(config, segments(prose))
        return both.words - rest.words, both.actions - rest.actions

    return time


@pytest.mark.parametrize(
    ("html", "n"),
    [
        ("", 0),
        ("<p>one two</p><p>three</p>", 3),
        ("<b>one</b>two – <em>three</em>,", 2),
        ("<td>one</td><td>2</td>", 2),
        (
            '<span class="glued">(<span class="math inline"><math><mi>x</mi></math></span>)</span>',
            1,
        ),
    ],
)
def test_words_are_counted_as_readers_see_them(html, n):
    assert count_words(html) == n


def test_every_text_before_the_answer_counts(config):
    texts = [config.title, config.objective, config.predict.question, config.check.question]
    texts += [option.text for option in config.check.options]
    assert reading_time(config, ()) == ReadingTime(sum(len(each.split()) for each in texts), 2)


def test_prose_tables_and_links_that_act_count(time_of):
    assert time_of("one two\n\n| three | four |\n|---|---|\n| 5 | 6 |\n") == (6, 0)
    assert time_of("one [two](?word=1) {word} and [five](?word=0) [six](#keys)") == (6, 2)


def test_what_is_folded_away_and_what_others_see_does_not_count(time_of):
    assert time_of("::deeper Three more words\nfour [five](?word=1)\n::end\n") == (0, 0)
    assert time_of("::own\none\n::end\n::default\none two\n::end\n") == (2, 0)


def test_minutes_are_words_and_actions():
    assert ReadingTime(200, 3).minutes == pytest.approx(2)


@given(st.lists(st.builds(ReadingTime, st.integers(0, 600), st.integers(0, 9)), max_size=9))
def test_the_minutes_that_steps_show_add_up_to_those_of_the_lesson(times):
    assert sum(float(time.rounded) for time in times) == total_minutes(times)


@pytest.mark.parametrize(
    ("words", "shown"),
    [(10, "0.5"), (100, "0.5"), (149, "0.5"), (150, "1"), (349, "1.5"), (400, "2")],
)
def test_minutes_are_rounded_to_the_nearest_half(words, shown):
    assert ReadingTime(words, 0).rounded == shown
