"""All steps through the web: pages, fragments, odd sentences, links onward, citations."""

import re
from html import unescape

import pytest
from starlette.testclient import TestClient

from app.application import create_app
from app.settings import Settings
from tests.lesson.small_lesson import SLUG as SMALL_LESSON
from tests.lesson.small_lesson import STEP_2, copy_lessons
from tests.shipped import LESSONS, MODELS
from tests.web.html import parse_html

LESSON_OF = {step: lesson for lesson in LESSONS for step in lesson.steps}
STEPS = [pytest.param(step, id=f"{LESSON_OF[step].slug}/{step.slug}") for step in LESSON_OF]
(LESSON,) = (lesson for lesson in LESSONS if lesson.slug == "multi-head-attention")
SIDE_BY_SIDE = "why-one-head-is-not-enough"
PIPELINE = "rows-ask-columns-answer"
NUDGE = "project-do-not-slice"
BUDGET = "same-budget-thinner-heads"
MIX = "concatenate-then-mix"
MEASURES = "measure-before-you-name"
SHARING = "heads-in-real-models"
"""Steps by the labs that they have."""

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
RESTORE = {"HX-Request": "true", "HX-Request-Type": "full", "HX-History-Restore-Request": "true"}
UNUSUAL_TEXTS = ["cat", "cat cat cat cat cat", "very " * 40,
       "floccinaucinihilipilification", "a [MASK] b",
       "<script>alert(1)</script>", "מה שלומך", "👩‍👩‍👧 is over"]  # fmt: skip


def step_path(step):
    return f"/{LESSON_OF[step].slug}/{step.slug}"


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
    query = {"model": model, "layer": "1", "open": "change"}
    page = parse_html(client.get(step_path(step), params=query).text)
    assert page.find(f"button#model-{model}")["aria-pressed"] == "true"
    kind = MODELS[model].card.kind
    assert f"{model} · {kind} · layer 1" in page.find(".provenance").text
    assert ("These weights are random" in page.text) == (kind == "random")


@pytest.mark.parametrize("step", STEPS)
def test_the_right_answer_is_right_and_another_is_not(client, step):
    right_page = client.get(step_path(step), params={"predict": step.config.predict.declared})
    assert find_outcome(right_page.text, "predict").group(1) == "right"
    others = [c for c in choice_ids(right_page.text) if c != step.config.predict.declared]
    wrong_page = client.get(step_path(step), params={"predict": others[0]})
    assert find_outcome(wrong_page.text, "predict").group(1) == "wrong"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_each_step_leads_to_the_next_and_the_last_to_the_end(client, lesson):
    steps = lesson.steps
    nexts = [*map(step_path, steps[1:]), f"/{lesson.slug}/end"]
    for step, following in zip(steps, nexts, strict=True):
        page = parse_html(client.get(step_path(step)).text)
        assert page.find("#next .next-step")["href"] == following


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_the_end_asks_what_was_learned(client, lesson):
    html = client.get(f"/{lesson.slug}/end").text
    assert html.count('<details class="recall"') == len(lesson.config.end.recall)
    assert '<textarea id="rewrite"' in html
    assert " name=" not in re.search(r"<textarea[^>]*>", html).group(0)


@pytest.mark.parametrize("step", STEPS)
def test_each_step_shows_its_number_and_its_minutes(client, step):
    html = client.get(step_path(step)).text
    lesson = LESSON_OF[step]
    assert f"Step {step.number} of {len(lesson.outline)}" in html
    assert f"about {step.reading_time.rounded} minutes" in html


@pytest.mark.parametrize(
    ("step", "query", "expected"),
    [
        (PIPELINE, "causal=1", "button[name=causal][aria-pressed=true]"),
        (PIPELINE, "stage=scaled", "button[value=scaled][aria-pressed=true]"),
        (BUDGET, "unscaled=1", "button[name=unscaled][aria-pressed=false]"),
        (MIX, "off=0.1", 'button[name=off][value=""][aria-pressed=false]'),
        (MIX, "off=0.1", 'button[name=off][value="0.1,0.2"][aria-pressed=true]'),
        (MIX, "weighted=1", "button[name=weighted][aria-pressed=true]"),
        (MEASURES, "shuffled=1", "button[name=shuffled][aria-pressed=true]"),
        (SHARING, "groups=2", 'button[name=groups][value="2"][aria-pressed=true]'),
        (NUDGE, "cell=1.1", "#explained"),
        (SIDE_BY_SIDE, "show=lines", "#lab svg.ties"),
        (SIDE_BY_SIDE, "show=strip", "section.strip-row.chosen"),
        (MEASURES, "minus=headwise-h1.0", "#panel figure svg"),
        (MEASURES, "open=numbers", "#panel table.numbers"),
        (MEASURES, "open=heads", "#panel table.overview"),
        (MEASURES, "open=files", "#panel #share"),
        (MEASURES, "open=change", "#panel button[name=layer]"),
    ],
)
def test_every_control_can_be_linked(client, step, query, expected):
    path = f"/{LESSON.slug}/{step}?reveal=1"
    response = client.get(f"{path}&{query}")
    assert response.status_code == 200
    assert parse_html(response.text).has(expected)
    assert not parse_html(client.get(path).text).has(expected)


@pytest.mark.parametrize(
    ("step", "query", "message"),
    [
        (PIPELINE, "causal=yes", "none of the values of causal"),
        (MIX, "off=7.7", "no head “7.7” to switch off"),
        (SHARING, "groups=3", "none of the values of groups"),
        (SIDE_BY_SIDE, "cell=99.0", "There is no cell “99.0” here"),
        (
            SIDE_BY_SIDE,
            "minus=headwise-h1.1",
            "There is no head “headwise-h1.1” to compare with",
        ),
        (SIDE_BY_SIDE, "minus=x", "There is no head “x” to compare with"),
        (BUDGET, "predict=1", "none of the values of predict"),
    ],
)
def test_a_link_with_a_wrong_value_says_so(client, step, query, message):
    response = client.get(f"/{LESSON.slug}/{step}?{query}")
    assert response.status_code == 422
    assert message in unescape(response.text)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_every_number_of_a_map_is_in_a_table(client, step, headers):
    query = {"text": "The old fox ran", "model": "headwise-h4", "head": "2", "layer": "1"}
    query["reveal"] = "1"
    html = client.get(f"{step_path(step)}/numbers", params=query, headers=headers).text
    assert ("<html" in html) == (not headers)
    cells = re.findall(r"<td>([\d.]+)</td>", html)
    model = MODELS["headwise-h4"]
    weights = model.run(model.tokenizer.sentence("The old fox ran")).weights[1][2]
    assert cells == [f"{weight:.4f}" for weight in weights.ravel()]


def test_the_table_holds_what_the_map_shows(client):
    step = LESSON.step(MEASURES)
    query = {"text": "The old fox ran", "model": "headwise-h4"}
    default, shuffled = (
        client.get(f"{step_path(step)}/numbers", params=query | more).text
        for more in ({}, {"shuffled": "1"})
    )
    assert default != shuffled
    assert client.get(f"{step_path(step)}/numbers?layer=9").status_code == 422


def test_a_control_that_a_lab_does_not_have_is_ignored(client):
    step = LESSON.step(SIDE_BY_SIDE)
    assert client.get(step_path(step), params={"groups": "3", "causal": "x"}).status_code == 200


def test_a_prediction_is_dropped_when_what_it_is_about_changes_and_kept_otherwise(client):
    step = LESSON.step(PIPELINE)
    was = {"text": "a b c", "model": "headwise-h4", "layer": "0", "head": "1", "word": "0"}
    choice = choice_ids(client.get(step_path(step), params=was).text)[0]
    form = was | {f"was_{name}": value for name, value in was.items()}
    form |= {"edit": "1", "predict": choice}
    for change in ({"causal": "1"}, {"stage": "scaled"}, {"cell": "2.1"}, {"open": "numbers"}):
        kept = client.get(step_path(step), params=form | change).headers["location"]
        assert f"predict={choice}" in kept
    changes = ({"model": "headwise-h2"}, {"head": "0"}, {"layer": "1"}, {"text": "a b d"})
    for change in (*changes, {"word": "2"}):
        dropped = client.get(step_path(step), params=form | change).headers["location"]
        assert "predict" not in dropped


def test_a_pasted_tab_does_not_prevent_predicting(client):
    step = LESSON.step(SIDE_BY_SIDE)
    form = {"edit": "1", "text": "The\tcat sat", "was_text": "The cat sat", "commit": "2"}
    form |= {"layer": "0", "was_layer": "0", "word": "1", "was_word": "1"}
    assert "predict=2" in client.get(step_path(step), params=form).headers["location"]


def test_as_many_groups_as_heads_are_no_groups(client):
    step = LESSON.step(SHARING)
    query = {"model": "headwise-h4", "groups": "4", "edit": "1", "text": "a b"}
    assert "groups" not in client.get(step_path(step), params=query).headers["location"]


def test_shared_keys_have_no_effect_before_the_answer_is_shown(client):
    path = f"{step_path(LESSON.step(SHARING))}/numbers"
    plain, hidden, shown = (
        client.get(path, params=query).text
        for query in ({}, {"groups": "1"}, {"groups": "1", "reveal": "1"})
    )
    cells = [re.findall(r"<td>([^<]*)</td>", each) for each in (plain, hidden, shown)]
    assert cells[0] == cells[1] != cells[2]
    api = f"/api/v1/labs{step_path(LESSON.step(SHARING))}"
    assert (
        client.get(api, params={"groups": "1"}).json()["weights"]
        != client.get(api).json()["weights"]
    )


def test_the_comparison_survives_an_empty_field(client):
    query = {"edit": "1", "text": "", "minus": "headwise-h1.0"}
    html = client.get(step_path(LESSON.step(SIDE_BY_SIDE)), params=query, headers=HTMX).text
    assert '<input type="hidden" name="minus" value="headwise-h1.0">' in html


def test_ablated_heads_that_another_model_lacks_are_dropped(client):
    step = LESSON.step(MIX)
    query = {"edit": "1", "text": "a b", "model": "headwise-h2", "off": "0.1,0.3"}
    assert "off=0.1&" in client.get(step_path(step), params=query).headers["location"] + "&"


def test_a_step_that_is_planned_says_so(tmp_path):
    lessons = copy_lessons(tmp_path / "lessons")
    config_file = lessons / SMALL_LESSON / "lesson.toml"
    planned = '\n[[planned]]\nnumber = 3\ntitle = "Heads that never were"\n'
    config_file.write_text(config_file.read_text(encoding="utf-8") + planned, encoding="utf-8")
    client = TestClient(create_app(Settings(lessons=lessons)))
    assert "Heads that never were" in client.get("/").text
    response = client.get(f"/{SMALL_LESSON}/3")
    assert response.status_code == 404
    assert "This step is still to be written." in response.text


def test_a_broken_step_is_logged_and_the_others_are_served(tmp_path, caplog):
    lessons = copy_lessons(tmp_path / "lessons")
    broken = lessons / SMALL_LESSON / f"{STEP_2}.toml"
    broken.write_text("title =", encoding="utf-8")
    client = TestClient(create_app(Settings(lessons=lessons)))
    assert f"{broken}:1: " in caplog.text
    assert client.get(f"/{SMALL_LESSON}/1").status_code == 200
    response = client.get(f"/{SMALL_LESSON}/2")
    assert response.status_code == 404
    assert "This step is being repaired." in response.text


def test_a_handout_about_another_model_drops_values_it_lacks(client):
    url = "/multi-head-attention/concatenate-then-mix/handout?model=headwise-h8&off=0.7&head=7"
    assert client.get(url).status_code == 200
