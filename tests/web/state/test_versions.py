"""What links of a version open after the lesson has changed."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.testclient import TestClient

from app.lesson.__main__ import freeze
from app.main import create_app
from app.settings import Settings
from tests.lesson.small_lesson import (
    SLUG,
    SLUG_1,
    SLUG_2,
    STEP_1,
    add_lesson,
    add_step,
    copy_lessons,
    edit_step,
    read_recorded,
    write_recorded,
)
from tests.web.html import parse_html
from tests.web.test_links import view_in_page

STEP = f"/{SLUG}/{SLUG_1}"
ADDED_STEP = f"/{SLUG}/one-more"
FULL_VIEW = {"text", "model", "layer", "head", "word"}


@pytest.fixture
def lessons(tmp_path):
    """A folder of lessons with a copy of the small lesson, to change."""
    return copy_lessons(tmp_path / "lessons")


def client_for(lessons):
    return TestClient(create_app(Settings(lessons=lessons)), follow_redirects=False)


def view_at(client, url):
    page = client.get(url)
    assert page.status_code == 200
    return view_in_page(page.text)


def link_after_edit(client, path, **form):
    return client.get(path, params={"edit": "1", **form}).headers["location"]


def query_names(url):
    return dict(parse_qsl(urlsplit(url).query)).keys()


def release_new_sentence(lessons, version):
    """Step 1 opens with another sentence in a version of that name."""
    edit_step(lessons, f"{STEP_1}.toml", "A small dog ran home", "A small dog lay down")
    edit_step(lessons, "lesson.toml", 'version = "1"', f'version = "{version}"')


def test_an_added_step_changes_no_link_of_the_others(lessons):
    links = [
        f"{STEP}?v=1",
        f"{STEP}?head=1&predict=yes&v=1",
        f"/{SLUG}/{SLUG_2}?groups=2&minus=headwise-h1.0&v=1",
    ]
    with client_for(lessons) as client:
        before = [view_at(client, link) for link in links]
    add_step(lessons)
    with client_for(lessons) as client:
        assert [view_at(client, link) for link in links] == before


@pytest.mark.parametrize("version", [{}, {"v": "1"}])
def test_links_to_an_added_step_do_not_depend_on_defaults_that_may_change(lessons, version):
    add_step(lessons)
    with client_for(lessons) as client:
        assert view_at(client, ADDED_STEP)["text"] == "Rain fell on the town"
        link = link_after_edit(client, ADDED_STEP, text="Rain fell on the town", **version)
        assert query_names(link) == FULL_VIEW
        view = view_at(client, link)
    file = "03-one-more.toml"
    edit_step(lessons, file, 'model = "headwise-h8"', 'model = "headwise-h2"')
    edit_step(lessons, file, "head = 3", "head = 0")
    with client_for(lessons) as client:
        assert view_at(client, link) == view
        assert view_at(client, ADDED_STEP)["model"] == "headwise-h2"


def test_links_to_an_added_step_are_short_once_it_is_recorded(lessons, models):
    add_step(lessons)
    freeze(lessons, models)
    with client_for(lessons) as client:
        for version in ({}, {"v": "1"}):
            link = link_after_edit(client, ADDED_STEP, text="Snow fell", **version)
            assert query_names(link) == {"text", "v"}
        assert view_at(client, f"{ADDED_STEP}?v=1")["text"] == "Rain fell on the town"


def test_an_added_step_under_an_old_version_has_the_defaults_of_its_own(lessons, models):
    add_step(lessons)
    edit_step(lessons, "lesson.toml", 'version = "1"', 'version = "2"')
    freeze(lessons, models)
    with client_for(lessons) as client:
        assert view_at(client, f"{ADDED_STEP}?v=1")["v"] == "2"
        assert view_at(client, f"{STEP}?v=1")["v"] == "1"


def test_a_new_version_does_not_change_links_of_the_old(lessons, models):
    release_new_sentence(lessons, "2")
    freeze(lessons, models)
    with client_for(lessons) as client:
        assert view_at(client, f"{STEP}?v=1")["text"] == "A small dog ran home"
        assert view_at(client, f"{STEP}?v=2")["text"] == "A small dog lay down"
        assert view_at(client, STEP)["v"] == "2"


def test_an_assignment_made_of_an_old_view_is_of_its_version(lessons, models):
    release_new_sentence(lessons, "2")
    freeze(lessons, models)
    form = {"step": STEP, "fixed": "text"}
    with client_for(lessons) as client:
        for version, text in (("1", "A small dog ran home"), ("2", "A small dog lay down")):
            page = parse_html(client.get("/assign", params=form | {"v": version}).text)
            link = page.find("#assigned-link")["value"].removeprefix("http://testserver")
            assert view_at(client, link)["text"] == text


def test_links_of_an_unrecorded_version_spell_out_every_value(lessons):
    release_new_sentence(lessons, "2")
    with client_for(lessons) as client:
        assert query_names(link_after_edit(client, STEP, text="a b")) == FULL_VIEW


@pytest.mark.parametrize("current", ["1", "2"])
def test_a_link_of_an_unknown_version_says_so_and_offers_one_that_works(lessons, current):
    edit_step(lessons, "lesson.toml", 'version = "1"', f'version = "{current}"')
    with client_for(lessons) as client:
        answer = client.get(f"{STEP}?v=7")
        assert answer.status_code == 422
        assert "This link is of version “7” of the lesson. There is 1." in answer.text
        nearest = parse_html(answer.text).find(".problem a")["href"]
        assert view_at(client, nearest)["text"] == "A small dog ran home"


def test_a_link_to_replaced_weights_says_so(lessons):
    recorded = read_recorded(lessons)
    models = recorded["1"]["models"] | {"headwise-h4": "0" * 64}
    write_recorded(lessons, recorded | {"0": recorded["1"] | {"models": models}})
    with client_for(lessons) as client:
        old = client.get(f"{STEP}?v=0")
        assert old.status_code == 200
        assert "headwise-h4 has been trained again</b> since version 0" in old.text
        assert "trained again" not in client.get(f"{STEP}?model=headwise-h1&v=0").text
        assert "trained again" not in client.get(f"{STEP}?v=1").text


def test_two_lessons_may_have_versions_and_steps_of_the_same_names(lessons, models):
    add_lesson(lessons)
    release_new_sentence(lessons, "2")
    freeze(lessons, models)
    with client_for(lessons) as client:
        assert view_at(client, STEP)["v"] == "2"
        assert view_at(client, f"/another-lesson/{SLUG_1}")["v"] == "1"
        assert client.get(f"/another-lesson/{SLUG_1}?v=2").status_code == 422
