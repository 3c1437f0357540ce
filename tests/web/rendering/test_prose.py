"""The prose of a step follows the view: its values, its links, and what is for this sentence."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.testclient import TestClient

from app.application import create_app
from app.settings import Settings
from app.web.rendering.prose import ViewChanges, prose_context
from app.web.state.assignments import Assignment, Signer
from app.web.state.requested_view import requested_view
from tests.lesson.small_lesson import SLUG_1, SLUG_2, SMALL_LESSONS
from tests.shipped import LESSONS

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
PATH_1, PATH_2 = f"/small-lesson/{SLUG_1}", f"/small-lesson/{SLUG_2}"
STEPS = [
    pytest.param(lesson, step, id=f"{lesson.slug}/{step.slug}")
    for lesson in LESSONS
    for step in lesson.steps
]
OWN = {"text": "The old owl slept in a tree", "word": "2"}
VIEWS = [
    {},
    OWN,
    OWN | {"head": "1", "predict": "?"},
    {"model": "headwise-h8", "head": "5", "cell": "1.0", "open": "explain"},
    {"v": "1"},
]
CHANGES = [
    {"word": "1"},
    {"head": "0"},
    {"layer": "1"},
    {"cell": "1.1"},
    {"cell": ""},
    {"open": "numbers"},
    {"open": ""},
    {"show": "lines"},
    {"minus": "headwise-h4.0"},
    {"model": "headwise-h4"},
    {"model": "headwise-h1"},
    {"hide": "1"},
    {"text": "Two words"},
    {"word": "1", "head": "1"},
    {"causal": "1"},
    {"causal": "0"},
    {"stage": "scaled"},
    {"off": "0.0"},
    {"groups": "2"},
]


@pytest.fixture(scope="module")
def small_client():
    return TestClient(create_app(Settings(lessons=SMALL_LESSONS)))


NO_SIGNER = Signer("")


def view_of(query, lesson, step, models, signer=NO_SIGNER):
    if query.get("predict") == "?":
        without_answer = {name: query[name] for name in query if name != "predict"}
        question = requested_view(without_answer, lesson, step, models, signer).prediction.question
        answer = {"predict": question.choice_ids[0]} if question.choices else {}
        query = without_answer | answer
    return requested_view(query, lesson, step, models, signer)


def query_in(url):
    return dict(parse_qsl(urlsplit(url).query))


@pytest.mark.parametrize(("lesson", "step"), STEPS)
@pytest.mark.parametrize("query", VIEWS)
def test_a_link_opens_what_the_form_would_open(lesson, step, query, models):
    requested = view_of(query, lesson, step, models)
    changes = ViewChanges(requested)
    n_links = 0
    for params in CHANGES:
        url = changes.url_after(params)
        if url is None:
            continue
        n_links += 1
        after = requested_view(query_in(url), lesson, step, models, NO_SIGNER)
        of_form = query_in(changes.url_of_form(params))
        expected = requested_view(of_form, lesson, step, models, NO_SIGNER)
        assert not after.is_refused, url
        assert after.view == expected.view, params
    assert n_links >= 10


@pytest.mark.parametrize(("lesson", "step"), STEPS)
def test_every_link_of_a_lesson_makes_sense_on_the_default_sentence(lesson, step, models):
    prose = prose_context(view_of({}, lesson, step, models))
    for segment in step.live_segments:
        html = prose.html(segment)
        n_links = len(segment.live_html.acting_links) if prose.is_shown(segment) else 0
        assert html.count('class="act"') == n_links


def test_a_link_that_changes_what_is_assigned_is_text(models):
    lesson = LESSONS[0]
    step, signer = lesson.steps[0], Signer("secret")
    task = Assignment(f"/{lesson.slug}/{step.slug}", "word=1&v=2", ("word",))
    query = {"task": signer.encode_assignment(task)}
    changes = ViewChanges(view_of(query, lesson, step, models, signer))
    assert changes.url_after({"word": "2"}) is None
    assert f"task={query['task']}" in changes.url_after({"head": "0"})


def live_part(html, number):
    return re.search(
        rf'<div id="live-{number}" class="prose"(.*?)>(.*?)</div>', html, re.S
    ).groups()


def test_prose_speaks_of_the_sentence_on_the_page(small_client):
    _, html = live_part(small_client.get(PATH_1).text, 0)
    assert "<strong><bdi>dog</bdi></strong> reads <strong><bdi>" in html
    assert re.search(r"with <bdi>0\.\d\d</bdi>", html)
    assert f'href="{PATH_1}?v=1&amp;word=3"' in html
    _, html = live_part(small_client.get(PATH_1, params={"text": "<b> or"}).text, 0)
    assert "<strong><bdi>&lt;</bdi></strong> reads" in html or "<bdi>or</bdi>" in html
    assert "<b>" not in html


def test_a_link_without_its_word_is_text(small_client):
    _, html = live_part(small_client.get(PATH_1, params={"text": "Two words"}).text, 0)
    assert "See what “ran” reads." in html
    assert "<a " not in html


def test_parts_are_shown_for_their_sentence_only(small_client):
    for query, shown, hidden in (({}, 1, 2), ({"text": "An owl slept"}, 2, 1)):
        page = small_client.get(PATH_1, params=query).text
        attributes, html = live_part(page, shown)
        assert (attributes, "<p>" in html) == ("", True)
        assert live_part(page, hidden) == (" hidden", "")


def test_a_fragment_swaps_every_live_part_and_no_fixed_one(small_client):
    page = small_client.get(PATH_1).text
    fragment = small_client.get(PATH_1, params={"word": "1"}, headers=PARTIAL).text
    ids = re.findall(r'<div id="(live-\d)"', page)
    assert ids == ["live-0", "live-1", "live-2", "live-3"]
    assert re.findall(r'<div id="(live-\d)" class="prose" data-hx-swap-oob="true"', fragment) == ids
    assert "A table" in page
    assert "A table" not in fragment


def test_what_is_folded_away_is_closed_and_its_links_act(small_client):
    page = small_client.get(PATH_1).text
    (inside,) = re.findall(r'<details class="deeper">(.*?)</details>', page, re.S)
    assert "<summary>What <em>more</em> there is</summary>" in inside
    assert 'class="act"' in inside


def test_terms_lead_to_definitions_on_the_page(small_client):
    page = small_client.get(PATH_2).text
    assert 'href="#term-key"' in page
    assert re.search(r'<div id="term-key"><dt><a[^>]*>key vector</a></dt><dd>What a token', page)
    assert "term-head" not in page


def test_what_to_try_next_is_a_link_that_acts(small_client):
    before = small_client.get(PATH_2).text
    assert "act-next" not in before
    after = small_client.get(PATH_2, params={"predict": "320"}).text
    (link,) = re.findall(r'<a id="act-next-0" class="act" href="([^"]*)"', after)
    assert query_in(link.replace("&amp;", "&")) == {"predict": "320", "groups": "1", "v": "1"}


def test_on_paper_terms_have_their_definitions(small_client):
    page = small_client.get(f"{PATH_2}/handout").text
    assert 'id="term-key"' in page
