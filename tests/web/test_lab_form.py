"""The lab's form, sent as pages render it: what each button changes, and that nothing else does."""

from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from app.lesson import LABS, PREDICTIONS
from app.lesson.labs.lab_state import PANELS
from app.web.state.assignments import Signer
from app.web.state.links import path_of
from app.web.state.requested_view import requested_view
from tests.shipped import LESSONS
from tests.web.html import form_values, parse_html, submission_url
from tests.web.requests import HTMX

STEPS = {path_of(lesson, step): (lesson, step) for lesson in LESSONS for step in lesson.steps}

CONTROL_VALUES = {"off": "0.0", "groups": "1", "stage": "scaled"}
"""Values of controls that are not switched on by "1"."""

PAGES = [(path, panel) for path in STEPS for panel in PANELS]
BUTTONS_OF_EVERY_LAB = {"word", "head", "open", "commit", "check"}
BUTTONS_OF_PANELS = {"change": {"model", "layer", "show"}, "explain": {"cell"}, "heads": {"at"}}


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
    buttons = {answer: page.find_all(f"button[name={name}]") for answer, name in names.items()}
    return {answer: each[0]["value"] for answer, each in buttons.items() if each}


def url_of_answered_view(client, path, panel="explain"):
    """Return the URL of a view in which everything is chosen, both questions answered."""
    lab = LABS[STEPS[path][1].config.lab.name]
    switches = {name: CONTROL_VALUES.get(name, "1") for name in lab.extra_controls}
    query = {"layer": "1", "head": "1", "word": "1", "cell": "1.0", "minus": "headwise-h1.0"}
    query |= switches | {"open": panel}
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
    defaults = STEPS[path][1].config.defaults
    changes = {
        "at": lambda: dict(zip(("layer", "head"), value.split("."), strict=True)),
        "commit": lambda: {"predict": value},
        "cell": lambda: {"cell": value, "open": "explain"},
        "open": lambda: {"open": value} if value else dict.fromkeys(("open", "cell", "minus"), ""),
    }.get(name, lambda: {name: value})()
    if changes.get("model") == "":
        changes = {"model": defaults.model, "layer": str(defaults.layer)}
        changes["head"] = str(defaults.head)
    after = {name: value for name, value in (view | changes).items() if value != ""}
    card = models[after["model"]].card
    after["head"] = str(min(int(after["head"]), card.n_heads - 1))
    after["layer"] = str(min(int(after["layer"]), card.n_layers - 1))
    if after.get("groups") == str(card.n_kv_heads):
        after.pop("groups")
    changed = {each for each in view if after.get(each) != view[each]}
    if name != "commit" and changed & dependencies(path):
        after.pop("predict")
    return after


def dependencies(path):
    """Return the parameters on which the answer to the question of a step depends."""
    predict = STEPS[path][1].config.predict
    prediction_type = PREDICTIONS[predict.computed_by]
    is_about_chosen_model = not predict.model and not prediction_type.compares_models
    depends_on = {*prediction_type.depends_on} - {"model"}
    return depends_on | {"model"} if is_about_chosen_model else depends_on


@pytest.mark.parametrize(("path", "panel"), PAGES)
def test_a_button_changes_what_it_names_and_nothing_else(client, models, path, panel):
    url = url_of_answered_view(client, path, panel)
    view, page = view_at(url, models), parse_html(client.get(url).text)
    buttons = page.find_all("button[name]:not([disabled])")
    names = {button["name"] for button in buttons}
    assert names >= BUTTONS_OF_EVERY_LAB | BUTTONS_OF_PANELS.get(panel, set())
    for button in buttons:
        after = view_at(press(client, url, page, button), models)
        assert after == expected_view(path, view, button, models), button


@pytest.mark.parametrize("path", STEPS)
def test_the_button_for_the_steps_own_model_is_there_exactly_if_another_was_chosen_by_hand(
    client, path
):
    own = parse_html(client.get(f"{path}?open=change").text)
    chosen = parse_html(client.get(f"{path}?open=change&model=headwise-h2").text)
    assert not own.has('button[name=model][value=""]')
    location = press(client, path, chosen, chosen.find('button[name=model][value=""]'))
    assert "model" not in parse_qs(urlsplit(location).query)


@pytest.mark.parametrize("path", STEPS)
def test_a_chosen_model_is_kept_by_every_press(client, path):
    model = STEPS[path][1].config.defaults.model
    url = f"{path}?model={model}"
    page = parse_html(client.get(url).text)
    for button in page.find_all("button[name]:not([name=model]):not([disabled])"):
        location = press(client, url, page, button)
        assert parse_qs(urlsplit(location).query)["model"] == [model]
    page = parse_html(client.get(path).text)
    for button in page.find_all("button[name]:not([name=model]):not([disabled])"):
        assert "model" not in parse_qs(urlsplit(press(client, path, page, button)).query)


@pytest.mark.parametrize("path", STEPS)
def test_what_is_revealed_stays_revealed_until_it_is_hidden_again(client, models, path):
    page = parse_html(client.get(path).text)
    assert not page.has("button#ask-first")
    url = press(client, path, page, page.find("button#reveal"))
    assert view_at(url, models)["reveal"] == "1"
    page = parse_html(client.get(url).text)
    assert not page.has("button#reveal")
    for button in page.find_all("button[name]:not([disabled])"):
        after = view_at(press(client, url, page, button), models)
        assert ("reveal" in after) == (button["id"] != "ask-first")
    typed = client.get(submission_url(page, "lab", text="Six birds sing at dawn"))
    assert view_at(typed.headers["location"], models)["reveal"] == "1"


@pytest.mark.parametrize("path", STEPS)
def test_the_fields_of_the_view_come_before_every_button_of_the_lab(client, path):
    page = parse_html(client.get(url_of_answered_view(client, path)).text)
    form = page.find("form#lab")
    controls = form.find_all("input[type=hidden], button, select")
    first_button = next(i for i, each in enumerate(controls) if each.get("type") != "hidden")
    assert {each.get("type") for each in controls[first_button:]}.isdisjoint({"hidden"})
    assert not page.has("#lab-view input[type=hidden]")
    hidden = {each["name"] for each in page.find_all("#lab-fields input")}
    outside = {each["name"] for each in page.find_all("button[name]") if form not in each.ancestors}
    assert hidden.isdisjoint(outside)


@pytest.mark.parametrize("path", STEPS)
def test_the_enter_key_changes_nothing(client, models, path):
    url = url_of_answered_view(client, path)
    answer = client.get(submission_url(parse_html(client.get(url).text), "lab"))
    assert view_at(answer.headers["location"], models) == view_at(url, models)


@pytest.mark.parametrize("path", STEPS)
def test_the_enter_key_shows_the_typed_sentence_and_drops_only_the_prediction(client, models, path):
    url = url_of_answered_view(client, path)
    typed = submission_url(parse_html(client.get(url).text), "lab", text="Six birds sing at dawn")
    view = view_at(url, models) | {"text": "Six birds sing at dawn", "word": "1"}
    view.pop("predict")
    assert view_at(client.get(typed).headers["location"], models) == view


@pytest.mark.parametrize("path", STEPS)
def test_a_menu_sends_the_head_to_compare_with(client, models, path):
    url = url_of_answered_view(client, path, "compare")
    compare = submission_url(parse_html(client.get(url).text), "lab", minus="headwise-h2.1")
    after = view_at(client.get(compare).headers["location"], models)
    assert after == view_at(url, models) | {"minus": "headwise-h2.1"}


@pytest.mark.parametrize("path", STEPS)
def test_with_scripts_a_press_leads_to_the_same_url(client, path):
    url = url_of_answered_view(client, path, "change")
    page = parse_html(client.get(url).text)
    for button in page.find_all("button[name=show], button[name=open]"):
        fragment = client.get(path, params=form_values(page, "lab", button), headers=HTMX)
        assert fragment.status_code == 200
        assert fragment.headers["hx-push-url"] == press(client, url, page, button)


@pytest.mark.parametrize("panel", ["explain", "compare", "change"])
def test_a_fragment_has_the_same_fields_as_its_page(client, panel):
    for path in STEPS:
        url = url_of_answered_view(client, path, panel)
        page, fragment = (parse_html(client.get(url, headers=each).text) for each in ({}, HTMX))
        fields = [
            [each.source for part in parts for each in part.find_all("input, select")]
            for parts in (
                [page.find("#lab-view"), page.find("#lab-fields")],
                [fragment],
            )
        ]
        assert fields[0] == fields[1]


def test_an_error_that_is_swapped_in_takes_no_field_away(client):
    path = next(iter(STEPS))
    refused = client.get(path, params={"edit": "1", "text": "cat " * 60, "head": "3"}, headers=HTMX)
    assert refused.status_code == 422
    fields = {
        each["name"]: each["value"]
        for each in parse_html(refused.text).find_all("#lab-fields input")
    }
    assert (fields["head"], fields["v"]) == ("3", "2")


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
    query = {
        "model": kind,
        "word": "1",
        "cell": "1.0",
        "hide": hide,
        "check": "sum",
        "open": "change",
    }
    query["text"] = "a cat sat on the mat"
    query |= first_choices(checkpoint_client, path, query)
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
