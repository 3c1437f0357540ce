"""Links open for ever what they opened once, or say what has changed."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.pages import LESSON
from tests.web.html import form_values, parse_html, submission_url

STEP_1 = f"{LESSON}/why-one-head-is-not-enough"
STEP_2 = f"{LESSON}/rows-ask-columns-answer"
STEP_3 = f"{LESSON}/project-do-not-slice"
STEP_4 = f"{LESSON}/same-budget-thinner-heads"
STEP_5 = f"{LESSON}/concatenate-then-mix"
STEP_6 = f"{LESSON}/measure-before-you-name"
STEP_7 = f"{LESSON}/heads-in-real-models"

OWN_STEP_2 = {"text": "The dog followed the cat", "model": "headwise-h4", "layer": "0"}
OWN_STEP_3 = {"text": "She opened the old wooden door", "model": "headwise-h8", "head": "3"}
OWN_STEP_4 = {"text": "The keeper of the lighthouse slept", "model": "headwise-h4", "head": "0"}
OWN_STEP_5 = {"text": "She opened the door and went into the room", "model": "headwise-h4"}
OWN_STEP_6 = {
    "text": "The trophy does not fit in the suitcase because it is too big",
    "model": "headwise-h8",
    "head": "0",
}
OWN_STEP_7 = {"text": "Many heads may share one memory", "model": "headwise-h8", "head": "0"}

# Links as version 1 made them, and what they show: never changed, only added to.
LINKS_OF_VERSION_1 = [
    (f"{STEP_1}?v=1", {"text": "The cat sat down", "model": "headwise-h4", "layer": "0"}),
    (f"{STEP_1}?v=1", {"head": "2", "word": "2"}),
    (f"{STEP_1}?text=Birds+sing&v=1", {"text": "Birds sing", "head": "2", "word": "0"}),
    (f"{STEP_1}?text=My+dog+chased+it&v=1", {"text": "My dog chased it", "word": "0"}),
    (f"{STEP_1}?model=headwise-h1&show=map&v=1", {"model": "headwise-h1", "head": "0"}),
    (f"{STEP_1}?show=overview&v=1", {"open": "heads", "word": "2"}),
    (f"{STEP_2}?v=1", OWN_STEP_2 | {"head": "2", "word": "1"}),
    (
        f"{STEP_2}?head=1&causal=1&cell=2.1&predict=1&v=1",
        OWN_STEP_2 | {"head": "1", "causal": "1", "cell": "2.1", "open": "explain", "word": "1"},
    ),
    (f"{STEP_3}?layer=1&v=1", OWN_STEP_3 | {"layer": "1", "word": "1"}),
    (f"{STEP_3}?predict=8&word=5&v=1", OWN_STEP_3 | {"layer": "0", "word": "5"}),
    (f"{STEP_4}?unscaled=1&v=1", OWN_STEP_4 | {"word": "5", "unscaled": "1", "layer": "0"}),
    (f"{STEP_4}?predict=144x1&check=same&v=1", OWN_STEP_4 | {"word": "5"}),
    (
        f"{STEP_5}?off=0.1%2C0.2&weighted=1&check=width&v=1",
        OWN_STEP_5 | {"off": "0.1,0.2", "weighted": "1", "check": "width", "word": "3"},
    ),
    (
        f"{STEP_6}?shuffled=1&show=grid&v=1",
        OWN_STEP_6 | {"shuffled": "1", "show": "grid", "word": "9"},
    ),
    (f"{STEP_6}?predict=yes&layer=1&v=1", OWN_STEP_6 | {"layer": "1", "word": "9"}),
    (
        f"{STEP_7}?groups=2&minus=headwise-h1.0&lock=1&v=1",
        OWN_STEP_7 | {"groups": "2", "minus": "headwise-h1.0", "open": "compare", "word": "1"},
    ),
]

LINKS_OF_VERSION_2 = [
    (f"{STEP_1}?v=2", {"text": "The cat sat down", "model": "headwise-h4", "word": "2"}),
    (f"{STEP_1}?text=My+dog+chased+it&v=2", {"text": "My dog chased it", "word": "2"}),
    (f"{STEP_1}?reveal=1&v=2", {"reveal": "1"}),
    (f"{STEP_1}?model=headwise-h4&v=2", {"model": "headwise-h4"}),
    (f"{STEP_2}?stage=scaled&v=2", {"stage": "scaled", "head": "1", "word": "1"}),
    (f"{STEP_4}?model=headwise-h2&open=files&v=2", {"model": "headwise-h2", "open": "files"}),
    (f"{STEP_5}?word=1&open=numbers&v=2", {"open": "numbers", "word": "1"}),
    (f"{STEP_7}?cell=2.1&open=compare&v=2", {"cell": "2.1", "open": "compare"}),
]
PUBLISHED_LINKS = LINKS_OF_VERSION_1 + LINKS_OF_VERSION_2
REMOVED_PARAMS = {"lock"}
"""Parameters that links of older versions have and that change nothing any more."""


def fields_in_page(html):
    """Return the fields that the lab's form on a page sends, by name."""
    return dict(form_values(parse_html(html), "lab"))


def view_in_page(html):
    """Return the parameters of the view that a page shows."""
    fields = fields_in_page(html)
    previous = {
        name.removeprefix("was_"): value
        for name, value in fields.items()
        if name.startswith("was_") and value
    }
    return previous | fields


@pytest.mark.parametrize(("url", "view"), PUBLISHED_LINKS)
def test_a_link_of_each_version_opens_the_same_view(client, url, view):
    page = client.get(url)
    assert page.status_code == 200
    assert view.items() <= view_in_page(page.text).items()
    assert "has been trained again" not in page.text


def test_every_step_has_links_of_version_1():
    steps = {urlsplit(url).path for url, _ in LINKS_OF_VERSION_1}
    assert steps == {STEP_1, STEP_2, STEP_3, STEP_4, STEP_5, STEP_6, STEP_7}


@pytest.mark.parametrize("url", [url for url, _ in LINKS_OF_VERSION_1])
def test_a_link_of_version_1_shows_everything_as_it_did_and_answers_nothing(client, url):
    page = parse_html(client.get(url).text)
    assert page.has("#predict button#ask-first")
    assert not page.has("#predict button#reveal")
    assert not page.has("#predict button[aria-pressed=true]")
    assert not page.has("#lab .hidden-part")


@pytest.mark.parametrize("path", [STEP_1, STEP_2, STEP_7])
def test_a_link_of_version_1_can_ask_first_and_keep_an_answer(client, path):
    page = parse_html(client.get(f"{path}?v=1").text)
    asked = client.get(submission_url(page, "lab", "button#ask-first")).headers["location"]
    page = parse_html(client.get(asked).text)
    assert page.has("#predict button#reveal")
    choice = page.find_all("#predict button[name=commit]")[0]
    answered = client.get(submission_url(page, "lab", f"button#{choice['id']}")).headers["location"]
    for url in (
        answered,
        client.get(submission_url(page, "lab", "button#reveal")).headers["location"],
    ):
        assert dict(parse_qsl(urlsplit(url).query))["v"] == "1"
    page = parse_html(client.get(answered).text)
    assert page.find("#predict button[aria-pressed=true]")["id"] == choice["id"]


@pytest.mark.parametrize("url", [url for url, _ in PUBLISHED_LINKS])
def test_a_link_is_the_shortest_of_its_view(client, url):
    sent_again = client.get(submission_url(parse_html(client.get(url).text), "lab"))
    assert sent_again.status_code == 303
    location = sent_again.headers["location"]
    assert urlsplit(location).path == urlsplit(url).path
    expected = dict(parse_qsl(urlsplit(url).query))
    for name in REMOVED_PARAMS:
        expected.pop(name, None)
    if expected["v"] == "1":
        expected.pop("predict", None)
        if expected.get("check") == "same":  # an option that is gone
            del expected["check"]
    if expected.get("show") == "overview":
        expected["open"] = "heads"
        del expected["show"]
    assert dict(parse_qsl(urlsplit(location).query)) == expected
