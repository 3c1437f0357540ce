"""Links open for ever what they opened once, or say what has changed."""

import json
import re
import shutil
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.testclient import TestClient

from app.application import create_app
from app.lesson import load_lessons
from app.lesson.__main__ import freeze
from app.models import load_builtin_models
from app.settings import Settings, site_folder
from tests.pages import LESSON

STEP = f"{LESSON}/why-one-head-is-not-enough"
SLUG = LESSON.strip("/")

# Links as each version made them, and what they show: never changed, only added to.
PUBLISHED_LINKS = [
    (f"{STEP}?v=1", {"text": "The cat sat down", "model": "headwise-h4", "head": "2", "word": "2"}),
    (f"{STEP}?text=Birds+sing&v=1", {"text": "Birds sing", "head": "2", "word": "0"}),
    (
        f"{LESSON}/rows-ask-columns-answer?head=1&causal=1&cell=2.1&predict=1&v=1",
        {"text": "The dog followed the cat", "head": "1", "causal": "1", "cell": "2.1"},
    ),
    (f"{LESSON}/project-do-not-slice?layer=1&v=1", {"model": "headwise-h8", "layer": "1"}),
    (f"{LESSON}/same-budget-thinner-heads?unscaled=1&v=1", {"word": "5", "unscaled": "1"}),
    (
        f"{LESSON}/concatenate-then-mix?off=0.1%2C0.2&weighted=1&check=width&v=1",
        {"off": "0.1,0.2", "weighted": "1", "check": "width"},
    ),
    (f"{LESSON}/measure-before-you-name?shuffled=1&show=grid&v=1", {"shuffled": "1", "word": "9"}),
    (
        f"{LESSON}/heads-in-real-models?groups=2&minus=headwise-h1.0&lock=1&v=1",
        {"groups": "2", "lock": "1", "text": "Many heads may share one memory"},
    ),
]


def view_in_page(html):
    """The view that a page holds, as its form would send it."""
    lab = html[html.index('<form id="lab"') :]
    values = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', lab))
    if chosen := re.search(r'<option value="([^"]+)" selected>', lab):
        values["minus"] = chosen[1]
    return values | {"text": re.search(r'<input id="text"[^>]* value="([^"]*)"', html)[1]}


@pytest.mark.parametrize(("address", "view"), PUBLISHED_LINKS)
def test_a_link_of_each_version_opens_the_same_view(client, address, view):
    page = client.get(address)
    assert page.status_code == 200
    assert view.items() <= view_in_page(page.text).items()
    assert "trained anew" not in page.text


@pytest.mark.parametrize(("address", "_"), PUBLISHED_LINKS)
def test_a_link_is_its_own_shortest_form(client, address, _):
    query = dict(parse_qsl(urlsplit(address).query))
    path = address.partition("?")[0]
    edited = client.get(
        path, params={"edit": "1", "text": "", **view_in_page(client.get(address).text)}
    )
    assert dict(parse_qsl(urlsplit(edited.headers["location"]).query)) == query


def test_a_link_of_an_unknown_version_says_so(client):
    page = client.get(f"{STEP}?v=7")
    assert page.status_code == 422
    assert "This link is of version “7” of the lesson. There is 1." in page.text
    assert f'href="{STEP}?v=1"' in page.text


@pytest.fixture
def lessons(tmp_path):
    """A folder of lessons of our own, to change."""
    shutil.copytree(site_folder("lessons"), tmp_path / "lessons")
    return tmp_path / "lessons"


def client_for(lessons):
    return TestClient(create_app(Settings(lessons=lessons)), follow_redirects=False)


def release_new_sentence(lessons, version):
    """Step 1 opens with another sentence in a version of that name."""
    step = next((lessons / SLUG).glob("01-*.toml"))
    text = step.read_text(encoding="utf-8")
    assert 'text = "The cat sat down"' in text
    text = text.replace('text = "The cat sat down"', 'text = "The dog lay down"')
    step.write_text(text.replace('declared = "3"', 'declared = "4"'), encoding="utf-8")
    config_file = lessons / SLUG / "lesson.toml"
    config_file.write_text(
        config_file.read_text(encoding="utf-8").replace('version = "1"', f'version = "{version}"'),
        encoding="utf-8",
    )


def test_a_new_version_does_not_change_links_of_the_old(lessons):
    release_new_sentence(lessons, "2")
    freeze(lessons, load_builtin_models())
    with client_for(lessons) as client:
        assert view_in_page(client.get(f"{STEP}?v=1").text)["text"] == "The cat sat down"
        assert view_in_page(client.get(f"{STEP}?v=2").text)["text"] == "The dog lay down"
        assert view_in_page(client.get(STEP).text)["v"] == "2"


def test_an_assignment_made_of_an_old_view_is_of_its_version(lessons):
    release_new_sentence(lessons, "2")
    freeze(lessons, load_builtin_models())
    form = {"step": STEP, "fixed": "text"}
    with client_for(lessons) as client:
        for version, text in (("1", "The cat sat down"), ("2", "The dog lay down")):
            page = client.get("/assign", params=form | {"v": version}).text
            link = re.search(r'id="assigned-link"[^>]* value="http://testserver([^"]*)"', page)[1]
            assert view_in_page(client.get(unescape(link)).text)["text"] == text


def test_new_defaults_without_a_new_version_are_a_problem(lessons):
    release_new_sentence(lessons, "1")
    mistakes = [str(mistake) for mistake in load_lessons(lessons, load_builtin_models()).issues]
    assert any("links of version 1 would open something else" in each for each in mistakes)
    assert any("why-one-head-is-not-enough changed" in each for each in mistakes)


def test_an_unfrozen_version_is_a_problem_and_its_links_are_explicit(lessons):
    release_new_sentence(lessons, "2")
    mistakes = [str(mistake) for mistake in load_lessons(lessons, load_builtin_models()).issues]
    assert any("version 2 is not in releases.json yet" in each for each in mistakes)
    with client_for(lessons) as client:
        address = client.get(STEP, params={"edit": 1, "text": "a b"}).headers["location"]
    query = dict(parse_qsl(urlsplit(address).query))
    assert {"text", "model", "layer", "head", "word"} <= query.keys()
    assert "v" not in query


def test_freezing_changes_nothing_that_is_frozen(lessons):
    file = lessons / SLUG / "releases.json"
    before = file.read_bytes()
    freeze(lessons, load_builtin_models())
    assert file.read_bytes() == before


def test_a_link_to_replaced_weights_says_so(lessons):
    file = lessons / SLUG / "releases.json"
    releases = json.loads(file.read_text(encoding="utf-8"))
    releases["0"] = json.loads(json.dumps(releases["1"]))
    releases["0"]["models"]["headwise-h4"] = "0" * 64
    file.write_text(json.dumps(releases), encoding="utf-8")
    with client_for(lessons) as client:
        old = client.get(f"{STEP}?v=0")
        assert old.status_code == 200
        assert "headwise-h4 has been trained anew</b> since version 0" in old.text
        assert "trained anew" not in client.get(f"{STEP}?model=headwise-h1&v=0").text
        assert "trained anew" not in client.get(f"{STEP}?v=1").text


def test_broken_releases_are_a_problem(lessons):
    (lessons / SLUG / "releases.json").write_text("{", encoding="utf-8")
    mistakes = [str(mistake) for mistake in load_lessons(lessons, load_builtin_models()).issues]
    assert any("releases.json:1: cannot be read" in each for each in mistakes)
