from urllib.parse import parse_qsl, urlsplit

import pytest

from app.lesson import load_lessons
from app.web.state.assignments import Assignment, Signer
from app.web.state.links import path_of
from app.web.state.requested_view import requested_view
from tests.lesson.small_lesson import SMALL_LESSONS

SIGNER = Signer("a secret")


@pytest.fixture(scope="module")
def lesson(models):
    (lesson,) = load_lessons(SMALL_LESSONS, models).lessons
    return lesson


@pytest.fixture
def request_view(models, lesson):
    """Request a view of the small lesson's first step."""

    def request(query, fixed=(), **assigned):
        step = lesson.steps[0]
        if fixed:
            assigned_view = requested_view(assigned, lesson, step, models, SIGNER)
            explicit_query = assigned_view.links.explicit_query
            assignment = Assignment(path_of(lesson, step), explicit_query, fixed, "A note")
            query = query | {"task": SIGNER.encode_assignment(assignment)}
        return requested_view(query, lesson, step, models, SIGNER)

    return request


def test_an_empty_query_requests_the_default_view(request_view, lesson):
    requested, defaults = request_view({}), lesson.steps[0].config.defaults
    assert not requested.is_edit
    assert not requested.is_embedded
    assert not requested.is_refused
    assert requested.view.text == defaults.text
    assert requested.version.version == lesson.config.version


@pytest.mark.parametrize("edit", [{}, {"edit": "1"}])
def test_a_value_that_does_not_exist_is_refused_in_a_link_and_clamped_in_an_edit(
    request_view, edit
):
    requested = request_view({"layer": "9"} | edit)
    assert requested.is_refused == (not edit)
    assert requested.view.layer == requested.view.card.n_layers - 1


def test_an_answer_that_is_no_choice_is_refused(request_view):
    assert request_view({"predict": "99"}).is_refused
    assert request_view({"check": "99"}).is_refused
    choice = request_view({}).prediction.question.choice_ids[0]
    requested = request_view({"predict": choice, "reveal": "0"})
    assert not requested.is_refused
    assert requested.view.predict == choice


def test_the_prediction_is_about_the_requested_view(request_view):
    requested = request_view({"word": "1", "layer": "1"})
    assert requested.prediction.selection == requested.view.selection
    assert requested.lab_state.selection == requested.view.selection


@pytest.mark.parametrize("edit", [{}, {"edit": "1"}, {"edit": "1", "focus": "1"}])
def test_fixed_parameters_keep_their_values_in_links_and_edits(request_view, edit):
    requested = request_view({"head": "2", "word": "1"} | edit, ("head",), head="0")
    assert requested.view.head == 0
    assert requested.view.word == 1
    assert requested.query["head"] == "0"


def test_a_fixed_value_that_does_not_fit_is_clamped_without_a_problem(request_view):
    requested = request_view({"model": "headwise-h1"}, ("head",), head="3")
    assert not requested.is_refused
    assert requested.view.head == 0
    assert request_view({"model": "headwise-h1", "head": "3"}).is_refused


@pytest.mark.parametrize("query", [f"text={'cat+' * 60}", "model=h3"])
def test_a_fixed_sentence_or_model_that_cannot_be_used_is_refused(
    request_view, models, lesson, query
):
    path = path_of(lesson, lesson.steps[0])
    assignment = Assignment(path, query, ("text", "model"))
    assert request_view({"task": SIGNER.encode_assignment(assignment)}).is_refused


def test_an_assignment_cannot_make_a_link_an_edit_or_a_frame(request_view, models, lesson):
    path = path_of(lesson, lesson.steps[0])
    crafted = Assignment(path, "edit=1&embed=1", ("edit", "embed"))
    requested = request_view({"task": SIGNER.encode_assignment(crafted)})
    assert not requested.is_edit
    assert not requested.is_embedded


def test_links_keep_the_assignment_and_the_frame(request_view):
    requested = request_view({"embed": "1", "word": "1"}, ("head",), head="0")
    query = dict(parse_qsl(urlsplit(requested.links.url).query))
    assert query["task"] == requested.assignment.token
    assert query["embed"] == "1"
    assert query["word"] == "1"


def test_a_token_that_cannot_be_verified_stays_in_links_and_fixes_nothing(request_view):
    requested = request_view({"task": "abc", "head": "1"})
    assert requested.assignment.is_invalid
    assert requested.view.head == 1
    assert requested.links.url.endswith("&task=abc")
