import html
import re

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.pages import LESSON
from tests.web.test_links import shown

STEP = f"{LESSON}/concatenate-then-mix"
FORM = {
    "step": STEP,
    "text": "Birds sing at dawn",
    "layer": "1",
    "fixed": ["text", "layer"],
    "note": "Which head writes <most>?",
}


@pytest.fixture(scope="module")
def signing():
    with TestClient(create_app(Settings(secret="a secret")), follow_redirects=False) as client:
        yield client


def link_of(client, **form):
    page = client.get("/assign", params=form)
    assert page.status_code == 200
    value = re.search(r'id="assigned-link"[^>]* value="([^"]*)"', page.text)[1]
    return html.unescape(value).removeprefix("http://testserver")


@pytest.mark.parametrize("which", ["client", "signing"])
def test_an_assigned_view_opens_with_its_note(request, which):
    client = request.getfixturevalue(which)
    page = client.get(link_of(client, **FORM))
    assert page.status_code == 200
    view = shown(page.text)
    assert (view["text"], view["layer"]) == ("Birds sing at dawn", "1")
    assert "Which head writes &lt;most&gt;?" in page.text
    assert ("this server signed" in page.text) == (which == "signing")
    assert ("is not signed" in page.text) == (which == "client")


def test_what_is_fixed_cannot_be_changed_and_the_rest_can(signing):
    link = link_of(signing, **FORM)
    page = signing.get(link).text
    assert re.search(r'<button id="layer-0"[^>]* disabled', page)
    assert not re.search(r'<button id="word-1"[^>]* disabled', page)
    assert re.search(r'<input id="text"[^>]*\n?[^>]* readonly', page)
    sent = {**shown(page), "edit": "1", "text": "Something else", "layer": "0", "word": "2"}
    answer = signing.get(STEP, params=sent)
    view = shown(signing.get(answer.headers["location"]).text)
    assert (view["text"], view["layer"], view["word"]) == ("Birds sing at dawn", "1", "2")


def test_an_assignment_stays_with_the_view(signing):
    page = signing.get(link_of(signing, **FORM)).text
    answer = signing.get(STEP, params={**shown(page), "edit": "1", "head": "3"})
    assert "task=" in answer.headers["location"]
    assert "Which head writes" in signing.get(answer.headers["location"]).text


def test_the_way_out_of_a_refused_view_stays_in_the_assignment(signing):
    link = link_of(signing, **FORM)
    refused = signing.get(f"{link}&head=99")
    assert refused.status_code == 422
    way_out = html.unescape(re.search(r'class="problem">.*?href="([^"]+)"', refused.text, re.S)[1])
    page = signing.get(way_out)
    assert page.status_code == 200
    assert "Which head writes" in page.text
    assert re.search(r'<button id="layer-0"[^>]* disabled', page.text)


def test_a_changed_assignment_says_so_and_fixes_nothing(signing):
    link = link_of(signing, **FORM)
    page = signing.get(f"{link[:-3]}abc")
    assert page.status_code == 200
    assert "was changed after it was made" in page.text
    assert "Which head writes" not in page.text
    assert not re.search(r'<button id="layer-0"[^>]* disabled', page.text)


def test_an_assignment_says_nothing_on_another_step(signing):
    token = link_of(signing, **FORM).partition("task=")[2]
    page = signing.get(f"{LESSON}/rows-ask-columns-answer?task={token}").text
    assert "Which head writes" not in page
    assert "was changed" not in page


def test_a_view_that_cannot_be_is_told_in_the_form(client):
    page = client.get("/assign", params={"step": STEP, "text": "cat " * 60, "layer": "9"})
    assert page.status_code == 200
    assert "too long" in page.text
    assert "There is no layer “9” here" in page.text
    assert "assigned-link" not in page.text


def test_nothing_fixed_and_no_note_is_a_plain_link(client):
    assert link_of(client, step=STEP, text="Birds sing") == f"{STEP}?text=Birds+sing&v=1"


def test_the_preview_shows_the_view(client):
    page = client.get("/assign", params=FORM, headers={"HX-Request-Type": "partial"}).text
    assert "<html" not in page
    assert "inert" in page
    assert page.count('<svg class="map') > 4


def test_a_line_with_a_code_is_made_and_verified(signing):
    end = signing.get(f"{LESSON}/end", params={"results": "1rr2wr", "name": "Ada"}).text
    line = html.unescape(re.search(r'id="line"[^>]* value="([^"]*)"', end)[1])
    page = signing.get("/assign/codes", params={"lines": f"{line}\n{line.replace('2wr', '2rr')}"})
    assert page.text.count("made by this server") == 2
    assert page.text.count("not made by this server") == 1
    assert "Ada" in page.text


def test_a_line_that_cannot_be_made_is_told(signing):
    answer = signing.get(f"{LESSON}/end", params={"results": "1xx"})
    assert answer.status_code == 422
    assert "No line could be made" in answer.text


def test_without_a_secret_there_are_no_codes(client):
    assert 'id="receipt"' not in client.get(f"{LESSON}/end?results=1rr").text
    assert "HEADWISE_SECRET" in client.get("/assign/codes?lines=x").text


def test_the_secret_is_never_shown():
    assert "a secret" not in repr(Settings(secret="a secret"))


def test_a_view_of_a_lab_can_be_assigned_with_all_its_controls(client):
    form = {"step": STEP, "text": "Birds sing", "off": "0.1", "weighted": "1", "fixed": ["off"]}
    link = link_of(client, **form)
    page = client.get(link).text
    assert shown(page)["off"] == "0.1"
    assert shown(page)["weighted"] == "1"
    sent = {**shown(page), "edit": "1", "off": "0.2", "weighted": ""}
    view = shown(client.get(client.get(STEP, params=sent).headers["location"]).text)
    assert view["off"] == "0.1"
    assert "weighted" not in view


def test_a_lab_offers_to_assign_what_it_shows(client):
    page = client.get(STEP, params={"text": "Birds sing", "off": "0.1"}).text
    address = html.unescape(re.search(r'href="(/assign\?step=[^"]+)"', page)[1])
    assert client.get(address).text.count('name="off" value="0.1"') == 1
