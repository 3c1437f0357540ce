"""Links open for ever what they opened once, or say what has changed."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.pages import LESSON
from tests.web.html import form_values, parse_html, submission_url

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
    """Return the fields that the lab's form on a page sends, by name."""
    return dict(form_values(parse_html(html), "lab"))


@pytest.mark.parametrize(("url", "view"), PUBLISHED_LINKS)
def test_a_link_of_each_version_opens_the_same_view(client, url, view):
    page = client.get(url)
    assert page.status_code == 200
    assert view.items() <= view_in_page(page.text).items()
    assert "trained anew" not in page.text


@pytest.mark.parametrize("url", [url for url, _ in PUBLISHED_LINKS])
def test_a_link_is_the_shortest_of_its_view(client, url):
    sent_again = client.get(submission_url(parse_html(client.get(url).text), "lab"))
    assert sent_again.status_code == 303
    location = sent_again.headers["location"]
    assert urlsplit(location).path == urlsplit(url).path
    assert dict(parse_qsl(urlsplit(location).query)) == dict(parse_qsl(urlsplit(url).query))
