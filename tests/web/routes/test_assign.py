from base64 import urlsafe_b64encode

import pytest
from starlette.testclient import TestClient

from app.application import create_app
from app.settings import Settings
from app.web.state.assignments import Assignment, Signer
from tests.pages import LESSON, STEP_PATHS
from tests.shipped import VERSION
from tests.web.html import form_values, parse_html, submission_url
from tests.web.test_links import view_in_page

STEP = f"{LESSON}/concatenate-then-mix"
FORM = {
    "step": STEP,
    "text": "Birds sing at dawn",
    "layer": "1",
    "fixed": ["text", "layer"],
    "note": "Which head writes <most>?",
}


@pytest.fixture(scope="module")
def signing_client():
    with TestClient(create_app(Settings(secret="a secret")), follow_redirects=False) as client:
        yield client


def assignment_link(client, **form):
    page = client.get("/assign", params=form)
    assert page.status_code == 200
    link = parse_html(page.text).find("input#assigned-link")["value"]
    return link.removeprefix("http://testserver")


def is_disabled(page, button_id):
    """Return whether a page has this button and it is disabled."""
    return "disabled" in parse_html(page.text).find(f"button#{button_id}")


def receipt_line(client, **answers):
    """Return the line to hand in that the last page of the lesson makes."""
    page = parse_html(client.get(f"{LESSON}/end", params=answers).text)
    return page.find("input#line")["value"]


@pytest.mark.parametrize("which", ["client", "signing_client"])
def test_an_assigned_view_opens_with_its_note(request, which):
    client = request.getfixturevalue(which)
    page = client.get(assignment_link(client, **FORM))
    assert page.status_code == 200
    view = view_in_page(page.text)
    assert (view["text"], view["layer"]) == ("Birds sing at dawn", "1")
    assert "Which head writes &lt;most&gt;?" in page.text
    assert ("a valid signature" in page.text) == (which == "signing_client")
    assert ("It has no signature" in page.text) == (which == "client")


def test_fixed_values_cannot_be_changed_and_the_others_can(signing_client):
    link = assignment_link(signing_client, **FORM)
    page = signing_client.get(f"{link}&open=change")
    assert is_disabled(page, "layer-0")
    assert not is_disabled(page, "word-1")
    assert "readonly" in parse_html(page.text).find("input#text")
    sent = {**view_in_page(page.text), "text": "Something else", "layer": "0", "word": "2"}
    answer = signing_client.get(STEP, params=sent)
    view = view_in_page(signing_client.get(answer.headers["location"]).text)
    assert (view["text"], view["layer"], view["word"]) == ("Birds sing at dawn", "1", "2")


def test_default_values_can_be_fixed_too(signing_client):
    usual = view_in_page(signing_client.get(STEP).text)
    assert usual["word"] != "1"
    page = signing_client.get(
        assignment_link(signing_client, step=STEP, fixed=["word", "model"])
    ).text
    text = "Birds sing at dawn in the old trees"
    sent = {**view_in_page(page), "edit": "1", "text": text, "word": "1", "model": "headwise-h1"}
    view = view_in_page(
        signing_client.get(signing_client.get(STEP, params=sent).headers["location"]).text
    )
    assert view["text"] == text
    assert (view["word"], view["model"]) == (usual["word"], usual["model"])


def test_a_shorter_old_assignment_is_still_read(signing_client):
    """As links were made at first."""
    shortest = Assignment(STEP, "layer=1&v=1", ("layer", "head"), "A note")
    token = Signer("a secret").encode_assignment(shortest)
    page = signing_client.get(STEP, params={"task": token, "layer": "0", "head": "3"})
    assert page.status_code == 200
    usual = view_in_page(signing_client.get(f"{STEP}?v=1").text)
    view = view_in_page(page.text)
    assert (view["layer"], view["head"]) == ("1", usual["head"])
    assert "A note" in page.text


@pytest.mark.parametrize(
    ("assigned", "changes", "changed_name"),
    [
        ({"model": "headwise-h8", "head": "7", "fixed": "head"}, {"model": "headwise-h1"}, "head"),
        ({"word": "3", "fixed": "word"}, {"text": "Birds sing"}, "word"),
        ({"model": "headwise-h8", "off": "0.7", "fixed": "off"}, {"model": "headwise-h1"}, "off"),
    ],
)
def test_a_fixed_value_is_adjusted_to_other_choices_and_restored(
    signing_client, assigned, changes, changed_name
):
    page = signing_client.get(assignment_link(signing_client, step=STEP, **assigned))
    assert page.status_code == 200
    before = view_in_page(page.text)
    address = address_after_edit(signing_client, before, changes)
    now = signing_client.get(address)
    assert now.status_code == 200
    view = view_in_page(now.text)
    assert changes.items() <= view.items()
    assert view.get(changed_name) == {"head": "0", "word": "1", "off": None}[changed_name]
    for path in ("export/map.csv", "numbers", "handout"):
        assert signing_client.get(address.replace("?", f"/{path}?", 1)).status_code == 200
    assert signing_client.get(f"/api/v1/labs{address}").status_code == 200
    fragment = signing_client.get(address, headers={"HX-Request-Type": "partial"})
    assert fragment.status_code == 200
    restored = signing_client.get(
        address_after_edit(signing_client, view, {name: before[name] for name in changes})
    )
    assert view_in_page(restored.text)[changed_name] == before[changed_name]


def address_after_edit(client, view, changes):
    answer = client.get(STEP, params={**view, "edit": "1", **changes})
    assert answer.status_code == 303
    return answer.headers["location"]


def test_an_invalid_value_that_is_not_fixed_is_still_reported(signing_client):
    link = assignment_link(signing_client, step=STEP, model="headwise-h8", head="7", fixed="head")
    page = signing_client.get(f"{link}&layer=9")
    assert page.status_code == 422
    assert "There is no layer “9” here" in page.text


def test_a_crafted_assignment_cannot_cause_a_redirect_loop(client):
    assignment = Assignment(STEP, "edit=1&embed=1", ("edit", "embed"))
    answer = client.get(STEP, params={"task": Signer("").encode_assignment(assignment)})
    assert answer.status_code == 200
    assert 'class="site-header"' in answer.text


def test_an_assignment_stays_with_the_view(signing_client):
    page = signing_client.get(assignment_link(signing_client, **FORM)).text
    answer = signing_client.get(STEP, params={**view_in_page(page), "edit": "1", "head": "3"})
    assert "task=" in answer.headers["location"]
    assert "Which head writes" in signing_client.get(answer.headers["location"]).text


def test_the_nearest_valid_link_keeps_the_assignment(signing_client):
    link = assignment_link(signing_client, **FORM)
    refused = signing_client.get(f"{link}&head=99")
    assert refused.status_code == 422
    nearest = parse_html(refused.text).find(".problem:not([hidden]) a")["href"]
    page = signing_client.get(f"{nearest}&open=change")
    assert page.status_code == 200
    assert "Which head writes" in page.text
    assert is_disabled(page, "layer-0")


def test_a_changed_assignment_says_so_and_fixes_nothing(signing_client):
    link = assignment_link(signing_client, **FORM)
    page = signing_client.get(f"{link[:-3]}abc&open=change")
    assert page.status_code == 200
    assert "Somebody changed this link" in page.text
    assert "Which head writes" not in page.text
    assert not is_disabled(page, "layer-0")


@pytest.mark.parametrize("content", ["[" * 20_000, f'["{STEP}","v=1",[],"\\ud800"]'])
def test_a_crafted_assignment_is_no_server_error(client, content):
    token = urlsafe_b64encode(content.encode()).decode().rstrip("=")
    page = client.get(STEP, params={"task": token})
    assert page.status_code == 200
    assert "Somebody changed this link" in page.text


def test_an_assignment_has_no_effect_on_another_step(signing_client):
    token = assignment_link(signing_client, **FORM).partition("task=")[2]
    page = signing_client.get(f"{LESSON}/rows-ask-columns-answer?task={token}").text
    assert "Which head writes" not in page
    assert "was changed" not in page


def test_an_invalid_view_is_reported_in_the_form(client):
    page = client.get("/assign", params={"step": STEP, "text": "cat " * 60, "layer": "9"})
    assert page.status_code == 200
    assert "too long" in page.text
    assert "There is no layer “9” here" in page.text
    assert "assigned-link" not in page.text


def test_nothing_fixed_and_no_note_is_a_plain_link(client):
    link = assignment_link(client, step=STEP, text="Birds sing")
    assert link == f"{STEP}?text=Birds+sing&v={VERSION}"


def test_a_note_keeps_as_many_characters_as_its_field_allows(client):
    """A field counts the end of a line as one letter and sends it as two."""
    note = "\r\n".join(["a" * 19] * 30)
    page = client.get("/assign", params={"step": STEP, "note": note}).text
    assert note.replace("\r\n", "\n") in page.replace("\r\n", "\n")
    assert "\r" not in page


def test_the_preview_shows_the_view(client):
    page = client.get("/assign", params=FORM, headers={"HX-Request-Type": "partial"}).text
    assert "<html" not in page
    assert "inert" in page
    assert page.count('<svg class="map') > 4


def test_a_line_with_a_code_is_made_and_verified(signing_client):
    line = receipt_line(signing_client, results="1rr2wr", name="Ada")
    page = signing_client.get(
        "/assign/codes", params={"lines": f"{line}\n{line.replace('2wr', '2rr')}"}
    )
    assert page.text.count("made by this server") == 2
    assert page.text.count("not made by this server") == 1
    assert "Ada" in page.text


def receipt_lines(client, n):
    results = "".join(f"{number}rr" for number in range(1, 8))
    return [receipt_line(client, results=results, name="Zoë Ó Murchú")] * n


def test_the_lines_of_a_large_class_are_verified_at_once(signing_client):
    page = signing_client.post(
        "/assign/codes", data={"lines": "\r\n".join(receipt_lines(signing_client, 400))}
    )
    assert page.status_code == 200
    assert page.text.count("made by this server") == 400
    assert "Zoë Ó Murchú" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-frame-options"] == "DENY"
    assert '<form action="/assign/codes" method="post">' in page.text


def test_skipped_lines_are_reported(signing_client):
    lines = ["a", " "] * 500
    page = signing_client.post("/assign/codes", data={"lines": "\n".join(lines)}).text
    assert page.count("not made by this server") == 500
    assert "Only the first" not in page
    page = signing_client.post("/assign/codes", data={"lines": "\n".join([*lines, "b", "c"])}).text
    assert page.count("not made by this server") == 500
    assert "first 500 of 502 lines" in page


@pytest.mark.parametrize("body", [b"", b"lines", b"\xff=\xff&lines=%ff%ff", b"x" * 60_000])
def test_a_body_that_is_no_form_is_no_server_error(signing_client, body):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert signing_client.post("/assign/codes", content=body, headers=form).status_code == 200


@pytest.mark.parametrize("path", ["/assign/codes", "/assign/codes?lines=a"])
def test_a_post_is_answered_from_its_body_and_never_cached(signing_client, path):
    etag = signing_client.get(path).headers["etag"]
    page = signing_client.post(path, data={"lines": "Ann"}, headers={"If-None-Match": etag})
    assert page.status_code == 200
    assert ">Ann</textarea>" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert ">Ann</textarea>" not in signing_client.get(path).text


def test_unexpected_characters_in_a_code_are_no_server_error(signing_client):
    line = receipt_line(signing_client, results="1rr2wr", name="Ada")
    start, _, code = line.rpartition(" ")
    lines = f"{start} {code.replace('-', '–')}\n{start} {code[:-1]}é"
    page = signing_client.get("/assign/codes", params={"lines": lines})
    assert page.status_code == 200
    assert page.text.count("not made by this server") == 1
    assert signing_client.get(STEP, params={"task": "abc.é"}).status_code == 200


def test_a_line_that_cannot_be_made_is_reported(signing_client):
    answer = signing_client.get(f"{LESSON}/end", params={"results": "1xx"})
    assert answer.status_code == 422
    assert "No line could be made" in answer.text


@pytest.mark.parametrize("results", ["1rr1rr", "99rr", "1rr40rr"])
def test_unknown_or_repeated_steps_get_no_line(signing_client, results):
    answer = signing_client.get(f"{LESSON}/end", params={"results": results})
    assert answer.status_code == 422
    assert "No line could be made" in answer.text
    assert 'id="line"' not in answer.text


def test_without_a_secret_there_are_no_codes(client):
    assert 'id="receipt"' not in client.get(f"{LESSON}/end?results=1rr").text
    assert "HEADWISE_SECRET" in client.get("/assign/codes?lines=x").text


def test_the_secret_is_never_shown():
    assert "a secret" not in repr(Settings(secret="a secret"))


def test_a_view_of_a_lab_can_be_assigned_with_all_its_controls(client):
    form = {"step": STEP, "text": "Birds sing", "off": "0.1", "weighted": "1", "fixed": ["off"]}
    link = assignment_link(client, **form)
    page = client.get(link).text
    assert view_in_page(page)["off"] == "0.1"
    assert view_in_page(page)["weighted"] == "1"
    sent = {**view_in_page(page), "edit": "1", "off": "0.2", "weighted": ""}
    view = view_in_page(client.get(client.get(STEP, params=sent).headers["location"]).text)
    assert view["off"] == "0.1"
    assert "weighted" not in view


def test_the_version_of_a_view_stays_with_its_assignment(client):
    page = client.get("/assign", params={"step": STEP, "v": "1", "fixed": "text"})
    assert page.text.count('<input type="hidden" name="v" value="1">') == 1
    assert "From the lab it brings along" not in page.text


def test_an_unknown_version_is_left_out(client):
    page = client.get("/assign", params={"step": STEP, "v": "99"}).text
    assert 'name="v"' not in page
    assert "assigned-link" in page


def test_a_lab_offers_to_assign_what_it_shows(client):
    query = {"text": "Birds sing", "off": "0.1", "open": "files"}
    page = parse_html(client.get(STEP, params=query).text)
    (url,) = {a["href"] for a in page.find_all("#share a") if a["href"].startswith("/assign?")}
    form = parse_html(client.get(url).text)
    assert form.find("input[name=off]")["value"] == "0.1"
    assert form.find("input#a-text")["value"] == "Birds sing"


def test_the_form_sends_what_came_from_the_lab_with_what_is_typed(client):
    query = {"step": STEP, "off": "0.1", "weighted": "1", "cell": "1.0", "v": "1", "show": "grid"}
    page = parse_html(client.get("/assign", params=query).text)
    url = submission_url(page, "assign", text="Birds sing", note="Look", word="1")
    made = parse_html(client.get(f"{url}&fixed=off").text).find("input#assigned-link")["value"]
    opened = client.get(made.removeprefix("http://testserver"))
    view = view_in_page(opened.text)
    expected = {"text": "Birds sing", "word": "1", **query}
    del expected["step"]
    assert expected.items() <= view.items()
    assert "Look" in parse_html(opened.text).find("aside[aria-label=Assignment]").text
    assert is_disabled(opened, "off-0")


def test_the_form_shows_what_is_chosen_and_fixed(client):
    page = parse_html(client.get("/assign", params=FORM | {"model": "headwise-h2"}).text)
    sent = form_values(page, "assign")
    names = ("step", "text", "model", "layer", "note")
    assert {name: dict(sent)[name] for name in names} == {
        **{name: FORM[name] for name in ("step", "text", "layer", "note")},
        "model": "headwise-h2",
    }
    assert [value for name, value in sent if name == "fixed"] == ["text", "layer"]


@pytest.mark.parametrize("path", STEP_PATHS)
def test_every_layout_can_be_assigned(client, path):
    form = parse_html(client.get("/assign", params={"step": path}).text)
    lab = parse_html(client.get(f"{path}?open=change").text)
    offered = {option["value"] for option in form.find_all("#a-show option")}
    assert offered == {"", *(button["value"] for button in lab.find_all("button[name=show]"))}


@pytest.mark.parametrize("path", STEP_PATHS)
def test_every_control_of_the_lab_can_be_fixed_but_those_for_looking(client, path):
    form = parse_html(client.get("/assign", params={"step": path}).text)
    names = [box["value"] for box in form.find_all("input[name=fixed]")]
    assert len(names) == len(set(names))
    everywhere = {"text", "model", "layer", "head", "word", "show", "reveal", "hide", "open"}
    assert everywhere <= set(names)
    assert not {"cell", "minus", "lock", "text2", "model2"} & set(names)
    assert ("stage" in names) == path.endswith("rows-ask-columns-answer")
    labels = [label.text for label in form.find_all("form#assign fieldset label")]
    assert len(set(labels)) == len(names)


def test_learners_can_be_asked_first_or_shown_the_answer_and_kept_from_changing_it(client):
    hidden = assignment_link(client, step=STEP, fixed="reveal")
    shown = assignment_link(client, step=STEP, fixed="reveal", reveal="1")
    for link, is_shown in ((hidden, False), (shown, True)):
        for query in ("", "&reveal=1", "&reveal=0"):
            page = parse_html(client.get(f"{link}{query}").text)
            assert page.has("#predict #verdict") == is_shown
            assert not page.has("button#reveal")
            assert not page.has("button#ask-first")
    page = parse_html(client.get(hidden).text)
    choice = page.find_all("button[name=commit]")[0]["id"]
    answered = client.get(submission_url(page, "lab", f"button#{choice}")).headers["location"]
    assert parse_html(client.get(answered).text).has("#predict #verdict")


def test_what_is_open_can_be_fixed(client):
    link = assignment_link(client, step=STEP, fixed="open", open="numbers")
    page = parse_html(client.get(f"{link}&open=files").text)
    assert page.has("#panel .numbers")
    buttons = page.find_all("button[name=open]")
    assert buttons
    assert all("disabled" in button for button in buttons)


def test_a_stage_can_be_fixed(client):
    path = f"{LESSON}/rows-ask-columns-answer"
    page = client.get("/assign", params={"step": path, "fixed": "stage", "stage": "scaled"})
    link = parse_html(page.text).find("input#assigned-link")["value"]
    opened = client.get(f"{link.removeprefix('http://testserver')}&stage=masked")
    assert view_in_page(opened.text)["stage"] == "scaled"


@pytest.mark.parametrize("path", STEP_PATHS)
def test_the_preview_shows_what_learners_see_before_they_predict(client, path):
    assigned, shown = (
        parse_html(client.get("/assign", params={"step": path, "predict": "1"} | query).text)
        for query in ({}, {"reveal": "1"})
    )
    page = parse_html(client.get(path).text)
    assert assigned.has(".assignment-preview .hidden-part") == page.has("#lab .hidden-part")
    assert not shown.has(".assignment-preview .hidden-part")


def test_a_fixed_model_is_no_choice_of_the_learner(client):
    link = assignment_link(client, step=STEP, fixed="model", model="headwise-h2")
    page = parse_html(client.get(f"{link}&open=change").text)
    assert view_in_page(page.source)["model"] == "headwise-h2"
    assert not page.has("button#own-model")
    assert "model=" not in page.find("#next .next-step")["href"].partition("&task=")[0]
