"""The lab's form, sent as pages render it: what each button changes, and that nothing else does."""

from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from app.lesson import LABS, PREDICTIONS
from app.web.state.assignments import Signer
from app.web.state.links import path_of
from app.web.state.requested_view import requested_view
from tests.shipped import LESSONS
from tests.web.html import form_values, parse_html, submission_url
from tests.web.requests import HTMX

STEPS = {path_of(lesson, step): (lesson, step) for lesson in LESSONS for step in lesson.steps}

LAYOUTS = (
    {},
    {"show": "map"},
    {"show": "map", "lock": "1"},
    {"show": "grid"},
    {"show": "overview"},
)
CONTROL_VALUES = {"off": "0.0", "groups": "1"}
"""Values of controls that are not switched on by "1"."""

PAGES = [
    (path, layout)
    for path, (_, step) in STEPS.items()
    for layout in LAYOUTS
    if layout.get("show", "map") in LABS[step.config.lab.name].layouts
]
BUTTONS_OF_EVERY_LAB = {"model", "layer", "word", "show", "cell", "commit", "check"}
BUTTONS_OF_LAYOUTS = {"head", "focus", "at", "lock"}
BUTTON_NAMES = {
    *BUTTONS_OF_EVERY_LAB,
    *BUTTONS_OF_LAYOUTS,
    *("causal", "unscaled", "weighted", "shuffled", "off", "groups"),
}
"""Of all buttons on pages of models without special tokens, which have "hide" too."""


def view_at(url, models):
    """Return every parameter of the view that a URL opens."""
    path, query = urlsplit(url).path, dict(parse_qsl(urlsplit(url).query))
    requested = requested_view(query, *STEPS[path], models, Signer(""))
    assert not requested.is_refused, requested.parsed.problems
    return requested.view.query_params


def first_choices(client, path, query):
    """Return the first answer to the prediction and to the check that the page offers."""
    page = parse_html(client.get(f"{path}?{urlencode(query)}").text)
    names = {"predict": "commit", "check": "check"}
    return {
        answer: page.find_all(f"button[name={name}]")[0]["value"] for answer, name in names.items()
    }


def url_of_answered_view(client, path, layout):
    """Return the URL of a view in which everything is chosen, both questions answered."""
    lab = LABS[STEPS[path][1].config.lab.name]
    switches = {name: CONTROL_VALUES.get(name, "1") for name in lab.extra_controls}
    query = {"layer": "1", "head": "1", "word": "1", "cell": "1.0", "minus": "headwise-h1.0"}
    query |= switches | layout
    return f"{path}?{urlencode(query | first_choices(client, path, query))}"


def press(client, url, page, button):
    """Send the form by a button; return the URL that the browser then shows."""
    query = form_values(page, "lab", button)
    answer = client.get(urlsplit(url).path, params=query)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def expected_view(path, view, button, models):
    """Return the view after a press, as docs/decisions/one-form.md has it."""
    name, value = button["name"], button["value"]
    predict = STEPS[path][1].config.predict
    changes = {
        "at": lambda: dict(zip(("layer", "head"), value.split("."), strict=True)),
        "focus": lambda: {"head": value, "lock": "1"},
        "commit": lambda: {"predict": value, "model": predict.model or view["model"]},
    }.get(name, lambda: {name: value})()
    after = {name: value for name, value in (view | changes).items() if value != ""}
    if name == "model":
        card = models[value].card
        after["head"] = str(min(int(after["head"]), card.n_heads - 1))
        after["layer"] = str(min(int(after["layer"]), card.n_layers - 1))
        if after.get("groups") == str(card.n_kv_heads):
            after.pop("groups")
    changed = {each for each in view if after.get(each) != view[each]}
    depends_on = {
        *PREDICTIONS[predict.computed_by].depends_on,
        *(() if predict.model else ["model"]),
    }
    if name != "commit" and changed & depends_on - ({"model"} if predict.model else set()):
        after.pop("predict")
    return after


@pytest.mark.parametrize(("path", "layout"), PAGES)
def test_a_button_changes_what_it_names_and_nothing_else(client, models, path, layout):
    url = url_of_answered_view(client, path, layout)
    view, page = view_at(url, models), parse_html(client.get(url).text)
    buttons = page.find_all("button[name]:not([disabled])")
    assert {button["name"] for button in buttons} >= BUTTONS_OF_EVERY_LAB
    if layout:
        buttons = [button for button in buttons if button["name"] in BUTTONS_OF_LAYOUTS]
    for button in buttons:
        after = view_at(press(client, url, page, button), models)
        assert after == expected_view(path, view, button, models), button


def test_the_pages_above_have_buttons_of_every_name(client):
    names = set()
    for path, layout in PAGES:
        page = parse_html(client.get(url_of_answered_view(client, path, layout)).text)
        names |= {button["name"] for button in page.find_all("button[name]")}
    assert names == BUTTON_NAMES


@pytest.mark.parametrize("path", STEPS)
def test_the_enter_key_changes_nothing(client, models, path):
    url = url_of_answered_view(client, path, {})
    answer = client.get(submission_url(parse_html(client.get(url).text), "lab"))
    assert view_at(answer.headers["location"], models) == view_at(url, models)


@pytest.mark.parametrize("path", STEPS)
def test_the_enter_key_shows_the_typed_sentence_and_drops_only_the_prediction(client, models, path):
    url = url_of_answered_view(client, path, {})
    typed = submission_url(parse_html(client.get(url).text), "lab", text="Six birds sing at dawn")
    view = view_at(url, models) | {"text": "Six birds sing at dawn"}
    view.pop("predict")
    assert view_at(client.get(typed).headers["location"], models) == view


@pytest.mark.parametrize("path", STEPS)
def test_a_menu_sends_the_head_to_compare_with(client, models, path):
    url = url_of_answered_view(client, path, {})
    compare = submission_url(parse_html(client.get(url).text), "lab", minus="headwise-h2.1")
    after = view_at(client.get(compare).headers["location"], models)
    assert after == view_at(url, models) | {"minus": "headwise-h2.1"}


@pytest.mark.parametrize("path", STEPS)
def test_with_scripts_a_press_leads_to_the_same_url(client, path):
    url = url_of_answered_view(client, path, {})
    page = parse_html(client.get(url).text)
    for button in page.find_all("button[name=show]"):
        fragment = client.get(path, params=form_values(page, "lab", button), headers=HTMX)
        assert fragment.status_code == 200
        assert fragment.headers["hx-push-url"] == press(client, url, page, button)


def test_a_fragment_has_the_same_fields_as_its_page(client):
    for path in STEPS:
        url = url_of_answered_view(client, path, {})
        page, fragment = (parse_html(client.get(url, headers=each).text) for each in ({}, HTMX))
        form = page.find("#lab-view").find_all("input, select")
        assert [each.source for each in fragment.find_all("input, select")] == [
            each.source for each in form
        ]


def test_an_edit_keeps_version_frame_and_assignment(client):
    path = next(iter(STEPS))
    url = f"{path}?v=1&embed=1&task=abc&word=1"
    page = parse_html(client.get(url).text)
    location = press(client, url, page, page.find("button#word-0"))
    assert parse_qs(urlsplit(location).query) == {
        "v": ["1"],
        "embed": ["1"],
        "task": ["abc"],
        "word": ["0"],
    }


@pytest.mark.parametrize("kind", ["bert", "llama"])
@pytest.mark.parametrize("hide", ["", "1"])
def test_hiding_special_tokens_drops_the_cell_and_nothing_else(
    checkpoint_client, checkpoint_models, kind, hide
):
    path = next(iter(STEPS))
    query = {"model": kind, "word": "1", "cell": "1.0", "hide": hide, "check": "sum"}
    query |= {"predict": first_choices(checkpoint_client, path, query)["predict"]}
    url = f"{path}?{urlencode(query)}"
    view, page = view_at(url, checkpoint_models), parse_html(checkpoint_client.get(url).text)
    location = press(checkpoint_client, url, page, page.find("button#hide"))
    expected = {name: value for name, value in view.items() if name not in ("cell", "hide")}
    if not hide:
        expected["hide"] = "1"
    assert view_at(location, checkpoint_models) == expected


@pytest.mark.parametrize(
    ("kind", "other", "keeps_cell"),
    [("bert", "bert-short", True), ("bert", "gpt2", False), ("headwise-h4", "bert", False)],
)
def test_a_model_of_other_tokens_drops_cell_and_prediction(
    checkpoint_client, kind, other, keeps_cell
):
    path = next(iter(STEPS))
    query = {"text": "a cat sat", "model": kind, "cell": "1.0", "predict": "1"}
    url = f"{path}?{urlencode(query)}"
    page = parse_html(checkpoint_client.get(url).text)
    pairs = dict(form_values(page, "lab")) | {"model": other}
    view = dict(
        parse_qsl(urlsplit(checkpoint_client.get(path, params=pairs).headers["location"]).query)
    )
    assert view["model"] == other
    assert ("cell" in view) == keeps_cell
    assert "predict" not in view
