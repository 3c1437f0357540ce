"""All steps through the web: pages, fragments, odd sentences, links onward, citations."""

import re
from html import unescape
from shutil import copytree
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from app.application import create_app
from app.lesson import load_lessons
from app.models import load_builtin_models
from app.settings import Settings, site_folder

MODELS = load_builtin_models()
(LESSON,) = load_lessons(site_folder("lessons"), MODELS).lessons
STEPS = [pytest.param(step, id=step.slug) for step in LESSON.steps]
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
RESTORE = {"HX-Request": "true", "HX-Request-Type": "full", "HX-History-Restore-Request": "true"}
UNUSUAL_TEXTS = ["cat", "cat cat cat cat cat", "very " * 40,
       "floccinaucinihilipilification", "a [MASK] b",
       "<script>alert(1)</script>", "מה שלומך", "👩‍👩‍👧 is over"]  # fmt: skip


def step_path(step):
    return f"/{LESSON.slug}/{step.slug}"


def choice_ids(html):
    return re.findall(r'name="commit" value="([^"]*)"', html)


def find_outcome(html, expected):
    section = re.search(rf'<section id="{expected}".*?</section>', html, re.S).group(0)
    return re.search(r'data-outcome="(\w+)"', section)


@pytest.mark.parametrize("headers", [{}, HTMX, RESTORE], ids=["page", "fragment", "restore"])
@pytest.mark.parametrize("step", STEPS)
def test_every_step_works_as_page_and_fragment(client, step, headers):
    response = client.get(step_path(step), headers=headers)
    assert response.status_code == 200
    assert ("<html" in response.text) == (headers is not HTMX)
    assert '<svg class="map' in response.text
    ids = re.findall(r'\sid="([^"]+)"', response.text)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("text", UNUSUAL_TEXTS)
def test_predictions_and_checks_accept_unusual_sentences(client, step, text):
    query = {"text": text, "word": "0", "layer": "1"}
    page = client.get(step_path(step), params=query)
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    outcomes = set()
    for choice in choice_ids(page.text)[:4]:
        answer = client.get(step_path(step), params=query | {"predict": unescape(choice)})
        assert answer.status_code == 200
        outcomes.add(find_outcome(answer.text, "predict").group(1))
    assert outcomes <= {"right", "wrong"}
    for option in step.config.check.options:
        answer = client.get(step_path(step), params=query | {"check": option.id})
        assert find_outcome(answer.text, "check").group(1) == ("right" if option.right else "wrong")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("model", MODELS.ids)
def test_every_model_can_be_chosen_in_every_step_and_is_labelled(client, step, model):
    html = client.get(step_path(step), params={"model": model, "layer": "1"}).text
    assert f'id="model-{model}" name="model" value="{model}" aria-pressed="true"' in html
    source = MODELS[model].card.kind
    assert f"{source} · layer 1" in html
    assert ("drawn at random and never trained" in html) == (source == "random")


@pytest.mark.parametrize("step", STEPS)
def test_the_right_answer_is_right_and_another_is_not(client, step):
    right_page = client.get(step_path(step), params={"predict": step.config.predict.declared})
    assert find_outcome(right_page.text, "predict").group(1) == "right"
    others = [c for c in choice_ids(right_page.text) if c != step.config.predict.declared]
    wrong_page = client.get(step_path(step), params={"predict": others[0]})
    assert find_outcome(wrong_page.text, "predict").group(1) == "wrong"


@pytest.mark.parametrize("step", STEPS)
def test_sentence_and_model_carry_over_to_every_other_step(client, step):
    chosen = {"text": "Old birds sing & rest", "model": "headwise-h2"}
    html = client.get(step_path(step), params=chosen).text
    links = re.findall(r'<a href="([^"]+)" data-step="(\d)"', html)
    assert [number for _, number in links] == list("1234567")
    for link, _ in links:
        assert parse_qs(urlsplit(unescape(link)).query) == {k: [v] for k, v in chosen.items()}
    default = client.get(step_path(step)).text
    assert all(
        "?" not in link for link, _ in re.findall(r'<a href="([^"]+)" data-step="(\d)"', default)
    )


def test_each_step_leads_to_the_next_and_the_last_to_the_end(client):
    for step, following in zip(LESSON.steps, LESSON.steps[1:], strict=False):
        assert f'class="primary" href="{step_path(following)}"' in client.get(step_path(step)).text
    assert (
        f'class="primary" href="/{LESSON.slug}/end"' in client.get(step_path(LESSON.steps[-1])).text
    )


def test_the_end_asks_what_was_learned(client):
    html = client.get(f"/{LESSON.slug}/end").text
    end = LESSON.config.end
    assert [item.step for item in end.recall] == [2, 3, 5]
    assert html.count('<details class="recall"') == 3
    assert '<textarea id="rewrite"' in html
    assert " name=" not in re.search(r"<textarea[^>]*>", html).group(0)


@pytest.mark.parametrize("step", STEPS)
def test_each_step_shows_its_number_and_its_minutes(client, step):
    html = client.get(step_path(step)).text
    assert f"Step {step.number} of 7" in html
    assert f"{step.config.minutes} min of 10–12 min" in html


@pytest.mark.parametrize(
    ("step", "query", "expected"),
    [
        ("2", "causal=1", "−∞"),
        ("4", "unscaled=1", 'id="unscaled" name="unscaled" value="" aria-pressed="false"'),
        ("5", "off=0.1", 'id="off-1" name="off" value="" aria-pressed="false"'),
        ("5", "off=0.1", 'id="off-2" name="off" value="0.1,0.2" aria-pressed="true"'),
        ("5", "weighted=1", "not the attention weights themselves"),
        ("6", "shuffled=1", 'id="shuffled" name="shuffled" value="" aria-pressed="true"'),
        ("7", "groups=2", "Queries stay, so there are still 8 maps"),
        ("3", "cell=0.1", "comes to read"),
        ("1", "show=lines", '<svg class="ties"'),
        ("1", "show=strip", '<section class="strip-row chosen">'),
        ("6", "show=grid", '<div class="heads">'),
        ("5", "lock=1&head=2", "Unlock head 2"),
        ("6", "minus=headwise-h1.0", "minus head 0 of headwise-h1"),
    ],
)
def test_every_control_can_be_linked(client, step, query, expected):
    address = client.get(f"/{LESSON.slug}/{step}?{query}").headers["location"]
    response = client.get(address)
    assert response.status_code == 200
    assert expected in response.text


@pytest.mark.parametrize(
    ("step", "query", "message"),
    [
        ("2", "causal=yes", "none of the values of causal"),
        ("5", "off=7.7", "no head “7.7” to switch off"),
        ("7", "groups=3", "none of the values of groups"),
        ("1", "cell=99.0", "There is no cell “99.0” here"),
        ("1", "minus=headwise-h1.1", "There is no head “headwise-h1.1” to compare with"),
        ("1", "minus=x", "There is no head “x” to compare with"),
        ("4", "predict=1", "none of the values of predict"),
    ],
)
def test_a_link_with_a_wrong_value_says_so(client, step, query, message):
    address = client.get(f"/{LESSON.slug}/{step}?{query}").headers["location"]
    response = client.get(address)
    assert response.status_code == 422
    assert message in unescape(response.text)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_every_number_of_a_map_is_in_a_table(client, step, headers):
    query = {"text": "The old fox ran", "model": "headwise-h4", "head": "2", "layer": "1"}
    html = client.get(f"{step_path(step)}/numbers", params=query, headers=headers).text
    assert ("<html" in html) == (not headers)
    cells = re.findall(r"<td>([\d.]+)</td>", html)
    model = MODELS["headwise-h4"]
    weights = model.run(model.tokenizer.sentence("The old fox ran")).weights[1][2]
    assert cells == [f"{weight:.4f}" for weight in weights.ravel()]


def test_the_table_holds_what_the_map_shows(client):
    step = LESSON.step("6")
    query = {"text": "The old fox ran", "model": "headwise-h4"}
    default, shuffled = (
        client.get(f"{step_path(step)}/numbers", params=query | more).text
        for more in ({}, {"shuffled": "1"})
    )
    assert default != shuffled
    assert client.get(f"{step_path(step)}/numbers?layer=9").status_code == 422


def test_a_control_that_a_lab_does_not_have_is_ignored(client):
    step = LESSON.step("1")
    assert client.get(step_path(step), params={"groups": "3", "causal": "x"}).status_code == 200


def test_a_prediction_is_dropped_when_its_model_changes_and_kept_when_its_word_does(client):
    step = LESSON.step("2")
    was = {"text": "a b c", "model": "headwise-h4", "layer": "0", "head": "1", "word": "0"}
    form = was | {f"was_{name}": value for name, value in was.items()}
    form |= {"edit": "1", "predict": "2"}
    unchanged = client.get(step_path(step), params=form | {"word": "2"}).headers["location"]
    assert "predict=2" in unchanged
    for change in ({"model": "headwise-h2"}, {"head": "0"}, {"layer": "1"}, {"text": "a b d"}):
        dropped = client.get(step_path(step), params=form | change).headers["location"]
        assert "predict" not in dropped


def test_a_pasted_tab_does_not_prevent_predicting(client):
    step = LESSON.step("1")
    form = {"edit": "1", "text": "The\tcat sat", "was_text": "The cat sat", "commit": "2"}
    form |= {"layer": "0", "was_layer": "0", "word": "1", "was_word": "1"}
    assert "predict=2" in client.get(step_path(step), params=form).headers["location"]


def test_a_chosen_model_carries_over_past_a_step_with_that_default(client):
    step = LESSON.step("3")
    query = {"text": "Old birds sing", "model": step.config.defaults.model}
    html = client.get(step_path(step), params=query).text
    link = re.search(r'<a href="([^"]+)" data-step="4"', html).group(1)
    assert parse_qs(urlsplit(unescape(link)).query) == {k: [v] for k, v in query.items()}


def test_as_many_groups_as_heads_are_no_groups(client):
    step = LESSON.step("7")
    html = client.get(step_path(step), params={"model": "headwise-h4", "groups": "4"}).text
    assert "As trained: every head has its own keys and values." in html


def test_the_comparison_survives_an_empty_field(client):
    query = {"edit": "1", "text": "", "minus": "headwise-h1.0"}
    html = client.get(step_path(LESSON.step("1")), params=query, headers=HTMX).text
    assert '<input type="hidden" name="minus" value="headwise-h1.0">' in html


def test_ablated_heads_that_another_model_lacks_are_dropped(client):
    step = LESSON.step("5")
    query = {"edit": "1", "text": "a b", "model": "headwise-h2", "off": "0.1,0.3"}
    assert "off=0.1&" in client.get(step_path(step), params=query).headers["location"] + "&"


def test_a_step_that_is_planned_says_so(tmp_path):
    copytree(site_folder("lessons"), tmp_path / "lessons")
    config_file = tmp_path / "lessons" / LESSON.slug / "lesson.toml"
    planned = '[[planned]]\nnumber = 8\ntitle = "Heads that never were"\n'
    config_file.write_text(config_file.read_text(encoding="utf-8") + planned, encoding="utf-8")
    client = TestClient(create_app(Settings(lessons=tmp_path / "lessons")))
    assert "Heads that never were" in client.get("/").text
    response = client.get(f"/{LESSON.slug}/8")
    assert response.status_code == 404
    assert "This step is still to be written." in response.text


def test_a_broken_step_is_logged_and_the_others_are_served(tmp_path, caplog):
    copytree(site_folder("lessons"), tmp_path / "lessons")
    broken = next((tmp_path / "lessons" / LESSON.slug).glob("02-*.toml"))
    broken.write_text("title =", encoding="utf-8")
    client = TestClient(create_app(Settings(lessons=tmp_path / "lessons")))
    assert f"{broken}:1: " in caplog.text
    assert client.get(step_path(LESSON.step("1"))).status_code == 200
    response = client.get(f"/{LESSON.slug}/2")
    assert response.status_code == 404
    assert "This step is being mended." in response.text


def test_a_handout_about_another_model_drops_values_it_lacks(client):
    url = "/multi-head-attention/concatenate-then-mix/handout?model=headwise-h8&off=0.7&head=7"
    assert client.get(url).status_code == 200
