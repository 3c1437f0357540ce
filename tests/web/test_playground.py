"""The playground: every lab without its lesson, and two views side by side."""

import re

import pytest

from tests.pages import STEP_PATHS
from tests.web.html import parse_html

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def test_the_playground_opens_the_first_lab_and_keeps_the_query(client):
    response = client.get("/playground?text=Birds+sing")
    assert response.status_code == 307
    assert response.headers["location"] == f"{STEP_PATHS[0]}?text=Birds+sing&playground=1"


@pytest.mark.parametrize("path", STEP_PATHS)
def test_it_shows_a_lab_with_nothing_hidden_and_asks_nothing(client, path):
    html = client.get(f"{path}?playground=1").text
    assert '<svg class="map' in html
    assert "hidden-part" not in html
    assert 'id="predict"' not in html
    assert 'id="check"' not in html
    assert 'name="playground" value="1"' in html


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_every_lab_is_one_link_away_and_keeps_the_sentence(client, headers):
    html = client.get(f"{STEP_PATHS[1]}?playground=1&text=Birds+sing", headers=headers).text
    links = re.search(r'<nav id="labs".*?</nav>', html, re.S).group(0)
    targets = re.findall(r'href="([^"]+)"', links)
    assert [target.partition("?")[0] for target in targets] == STEP_PATHS
    for target in targets:
        assert "text=Birds+sing" in target
        assert "playground=1" in target


def test_an_edit_stays_in_the_playground(client):
    response = client.get(f"{STEP_PATHS[0]}?edit=1&playground=1&text=Birds+sing&word=1")
    assert response.status_code == 303
    assert "playground=1" in response.headers["location"]


def test_a_second_sentence_stands_beside_the_first(client):
    query = "playground=1&open=beside&text2=Birds+sing+%3Cb%3E&model2=headwise-h2"
    html = client.get(f"{STEP_PATHS[0]}?{query}").text
    parsed = parse_html(html)
    assert parsed.find("input#text2")["value"] == "Birds sing <b>"
    assert "<b>sing" not in html
    assert html.count('aria-label="Second view"') == 1
    assert "headwise-h2 · layer 0" in html


def test_a_second_sentence_that_is_too_long_says_so_and_keeps_the_first(client):
    html = client.get(f"{STEP_PATHS[0]}?playground=1&open=beside&text2={'word+' * 60}").text
    assert "cannot read this: it has 60 tokens, and the model reads 1 to 48" in html
    assert 'aria-label="First view"' in html
    assert 'aria-label="Second view"' not in html


def test_an_unknown_second_model_is_an_error_with_the_models_to_choose_from(client):
    response = client.get(f"{STEP_PATHS[0]}?open=beside&model2=h9")
    assert response.status_code == 422
    assert "headwise-h8" in response.text


@pytest.mark.parametrize("path", STEP_PATHS)
def test_the_lesson_links_share_no_playground(client, path):
    assert "playground" not in re.sub(r'href="/playground"', "", client.get(path).text)
