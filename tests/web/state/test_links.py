import pytest

from app.lesson import LABS, Defaults, load_lessons
from app.settings import site_folder
from app.web.state.links import ViewLinks, carried_params, path_of
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
        ({"model": "headwise-h4"}, "model=headwise-h4&v=1"),
        ({"model": ""}, "v=1"),
        ({"text": "Birds sing", "word": "0"}, "text=Birds+sing&v=1"),
        ({"text": "Birds sing", "word": "1"}, "text=Birds+sing&word=1&v=1"),
        ({"text": "My dog chased it", "word": "2"}, "text=My+dog+chased+it&v=1"),
        ({"text": "My dog chased it", "word": "0"}, "text=My+dog+chased+it&word=0&v=1"),
        ({"reveal": "1"}, "reveal=1&v=1"),
        ({"reveal": "0"}, "v=1"),
        ({"reveal": ""}, "v=1"),
        ({"cell": "1.0"}, "cell=1.0&v=1"),
        ({"cell": "1.0", "open": "explain"}, "cell=1.0&v=1"),
        ({"cell": "1.0", "open": "files"}, "cell=1.0&open=files&v=1"),
        ({"minus": "headwise-h1.0", "open": "compare"}, "minus=headwise-h1.0&v=1"),
        ({"open": "explain"}, "open=explain&v=1"),
        ({"show": "overview"}, "open=heads&v=1"),
        ({"lock": "1", "focus": "3"}, "v=1"),
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


SAME_SENTENCE = PinnedVersion("1", Defaults(text=DEFAULTS.text, model="headwise-h8", word=1))
OTHER_SENTENCE = PinnedVersion("1", Defaults(text="A cat ran home", model="headwise-h8", word=2))


def carried(models, target, version=None, **query):
    version = version or PinnedVersion("1", DEFAULTS)
    view = parse_view(query, version, models, LAB).view
    return carried_params(view, version, target)


@pytest.mark.parametrize("target", [SAME_SENTENCE, OTHER_SENTENCE])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {}),
        ({"layer": "1", "head": "3", "off": "0.1", "cell": "1.0", "open": "files"}, {}),
        ({"model": "headwise-h8"}, {"model": "headwise-h8"}),
        ({"model": "headwise-h4"}, {"model": "headwise-h4"}),
        ({"text": "Birds sing"}, {"text": "Birds sing"}),
        ({"text": "Birds sing", "word": "1"}, {"text": "Birds sing", "word": "1"}),
        (
            {"text": "Birds sing", "model": "headwise-h8"},
            {"text": "Birds sing", "model": "headwise-h8"},
        ),
        ({"reveal": "1"}, {"reveal": "1"}),
        ({"text": "Birds sing", "reveal": "1"}, {"text": "Birds sing", "reveal": "1"}),
    ],
)
def test_links_to_other_steps_carry_what_the_learner_chose_and_nothing_of_the_step(
    models, target, query, expected
):
    assert carried(models, target, **query) == expected


@pytest.mark.parametrize(
    ("target", "word", "expected"),
    [
        (SAME_SENTENCE, "0", {"word": "0"}),
        (SAME_SENTENCE, "1", {}),
        (SAME_SENTENCE, "2", {}),
        (OTHER_SENTENCE, "1", {}),
        (OTHER_SENTENCE, "0", {}),
        (OTHER_SENTENCE, "2", {}),
    ],
)
def test_a_chosen_word_of_the_steps_sentence_is_carried_to_steps_with_that_sentence_only(
    models, target, word, expected
):
    assert carried(models, target, word=word) == expected


def test_a_sentence_that_is_the_other_steps_own_is_not_spelled_out(models):
    old = PinnedVersion("1", Defaults(text="Many heads", model="headwise-h4"))
    expected = {"word": "3"}
    assert carried(models, SAME_SENTENCE, old, text=DEFAULTS.text, word="3") == expected


def test_what_an_old_version_shows_by_itself_is_not_carried(models):
    old = PinnedVersion("1", DEFAULTS, asked_otherwise=True)
    assert carried(models, SAME_SENTENCE, old) == {}


def test_a_special_token_is_not_carried_to_a_model_that_may_not_have_it(checkpoint_models):
    special = {"text": "a cat", "model": "bert", "word": "2"}
    assert carried(checkpoint_models, SAME_SENTENCE, **special) == {
        "text": "a cat",
        "model": "bert",
    }


def test_carried_words_are_those_that_open_there(models):
    for target, text in ((OTHER_SENTENCE, "Birds sing"), (SAME_SENTENCE, DEFAULTS.text)):
        for word in range(2):
            params = carried(models, target, text=text, word=str(word))
            opened = parse_view(params, target, models, LAB)
            assert not opened.problems
            shown = parsed_view(models, text=text).view.sentence.words[word].text
            assert opened.view.sentence.words[opened.view.word].text == shown
