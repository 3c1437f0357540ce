"""Links open for ever what they opened once, or say what has changed."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.pages import LESSON

STEP = f"{LESSON}/why-one-head-is-not-enough"

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
