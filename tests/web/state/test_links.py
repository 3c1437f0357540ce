import pytest

from app.lesson import LABS, Defaults, load_lessons
from app.settings import site_folder
from app.web.state.links import ViewLinks, carry_over_query, path_of
from app.web.state.versions import PinnedVersion
from app.web.state.view import ParsedView, parse_view

DEFAULTS = Defaults(text="The cat sat down", model="headwise-h4", head=2, word=2)
LAB = LABS["mix"]


def parsed_view(models, **query):
    return parse_view(query, PinnedVersion("1", DEFAULTS), models, LAB)


def links(models, version="1", suffix="", **query):
    parsed = parsed_view(models, **query)
    return ViewLinks("/lesson/step", parsed, PinnedVersion(version, DEFAULTS), suffix)


def test_a_step_is_below_its_lesson(models):
    for lesson in load_lessons(site_folder("lessons"), models).lessons:
        for step in lesson.steps:
            assert path_of(lesson, step) == f"/{lesson.slug}/{step.slug}"


def test_without_a_version_a_link_lists_every_parameter_in_canonical_order(models):
    expected = "text=The+cat+sat+down&model=headwise-h4&layer=0&head=2&word=1"
    assert links(models, None, word="1").query == expected
    assert links(models, None, word="1").explicit_query == expected


@pytest.mark.parametrize(
    ("query", "shortest"),
    [
        ({}, "v=1"),
        ({"word": "1"}, "word=1&v=1"),
        ({"layer": "1"}, "layer=1&v=1"),
        ({"model": "headwise-h1"}, "model=headwise-h1&v=1"),
        ({"text": "Birds sing", "word": "0"}, "text=Birds+sing&v=1"),
        ({"text": "Birds sing", "word": "1"}, "text=Birds+sing&word=1&v=1"),
        ({"off": "0.1", "weighted": "0"}, "off=0.1&v=1"),
    ],
)
def test_a_link_lists_only_what_differs_from_its_version(models, query, shortest):
    assert links(models, **query).query == shortest


def test_an_explicit_query_lists_everything_and_the_version(models):
    expected = "text=The+cat+sat+down&model=headwise-h4&layer=0&head=2&word=2&v=1"
    assert links(models).explicit_query == expected


def test_urls_keep_the_assignment_and_the_frame(models):
    view_links = links(models, suffix="&task=abc&embed=1", word="1")
    assert view_links.url == "/lesson/step?word=1&v=1&task=abc&embed=1"
    assert view_links.nearest_valid_url == view_links.url


def test_a_refused_sentence_stays_in_the_url_and_the_nearest_view_is_another(models):
    view_links = links(models, text="cat " * 50)
    assert view_links.url == f"/lesson/step?text={'cat+' * 50}&v=1"
    assert view_links.nearest_valid_url == f"/lesson/step?text={'cat+' * 47}cat&v=1"


def test_a_link_without_the_learners_sentence_keeps_the_rest_of_the_view(models):
    view_links = links(
        models, text="Birds sing", model="headwise-h8", head="7", word="1", cell="1.0", off="0.7"
    )
    assert view_links.query_with_default_sentence == "model=headwise-h8&head=7&off=0.7&v=1"


def test_a_link_without_the_learners_sentence_carries_no_prediction(models):
    parsed = parsed_view(models, text="Birds sing")
    answered = ParsedView("Birds sing", parsed.view.replace(predict="1", check="width"), ())
    view_links = ViewLinks("/lesson/step", answered, PinnedVersion("1", DEFAULTS))
    assert view_links.query == "text=Birds+sing&predict=1&check=width&v=1"
    assert view_links.query_with_default_sentence == "check=width&v=1"


def test_the_default_sentence_needs_no_link_without_it(models):
    assert links(models, word="1").query_with_default_sentence is None


@pytest.mark.parametrize(
    ("query", "carried"),
    [
        ({}, ""),
        ({"layer": "1", "head": "3", "word": "0", "off": "0.1"}, ""),
        ({"model": "headwise-h8"}, "?model=headwise-h8"),
        ({"text": "Birds sing"}, "?text=Birds+sing&model=headwise-h4"),
        ({"text": "Birds sing", "model": "headwise-h8"}, "?text=Birds+sing&model=headwise-h8"),
    ],
)
def test_links_to_other_steps_carry_the_sentence_with_its_model(models, query, carried):
    assert carry_over_query(parsed_view(models, **query).view, DEFAULTS) == carried
