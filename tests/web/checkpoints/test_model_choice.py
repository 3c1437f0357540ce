"""Choosing a checkpoint and leaving it again; two models on one page."""

import pytest

from tests.web.checkpoints.requests import (
    LESSON,
    STEP_WITH_LAB,
    TEXT,
    lab_json,
    open_step,
    press,
    step_path,
)
from tests.web.conftest import CHECKPOINT_KINDS
from tests.web.html import parse_html


def test_checkpoints_are_chosen_by_name(checkpoint_client):
    page = open_step(checkpoint_client, "side-by-side", model="bert", open="change")
    for kind in CHECKPOINT_KINDS:
        button = page.find(f"button#model-{kind}")
        assert (button["name"], button["value"], button.text) == ("model", kind, kind)
        assert button["aria-pressed"] == str(kind == "bert").lower()
    assert press(checkpoint_client, page, "#model-llama")["model"] == "llama"


def test_builtin_models_can_be_chosen_again(checkpoint_client):
    page = open_step(checkpoint_client, "side-by-side", model="bert", open="change")
    view = press(checkpoint_client, page, "#source-trained")
    assert (view["model"], view["text"]) == ("headwise-h4", TEXT)
    own = press(checkpoint_client, page, "#own-model")
    assert "model" not in own
    assert own["text"] == TEXT


def test_without_checkpoints_they_are_not_mentioned(client, checkpoint_client):
    path = f"/{LESSON.slug}/{STEP_WITH_LAB['side-by-side']}?open=change"
    assert parse_html(checkpoint_client.get(path).text).has("#source-checkpoint")
    assert not parse_html(client.get(path).text).has("#source-checkpoint")


def groups(page):
    """The maps of the model with one head, and those of the chosen model, in words."""
    return [
        " ".join([group.text, *(svg.get("aria-label", "") for svg in group.find_all("svg.map"))])
        for group in page.find_all("section.map-group")
    ]


def test_the_one_head_model_has_its_own_tokens(checkpoint_client):
    query = {"model": "bert", "text": "The cat sat", "reveal": 1}
    one_head, chosen = groups(open_step(checkpoint_client, "side-by-side", **query))
    assert "[CLS]" not in one_head
    assert "[CLS]" in chosen


def test_each_map_names_the_query_word_of_its_own_model(checkpoint_client):
    query = {"model": "bert", "word": len(TEXT.split()), "reveal": 1}
    one_head, chosen = groups(open_step(checkpoint_client, "side-by-side", **query))
    assert "[CLS] reads" in chosen
    assert "[CLS] reads" not in one_head
    assert any(f"{word} reads" in one_head for word in TEXT.split())


def test_a_sentence_too_long_for_the_one_head_model_is_shown_without_it(checkpoint_client):
    long = "the cat sat down and " * 12
    page = open_step(checkpoint_client, "side-by-side", model="llama", text=long)
    one_head = 'section.map-group[aria-label="headwise-h1"]'
    assert "reads at most 48 tokens" in page.find(".lab-body").text
    assert not page.has(one_head)
    short = open_step(checkpoint_client, "side-by-side", model="llama")
    assert "reads at most" not in short.find(".lab-body").text
    assert short.has(one_head)


def test_heads_are_compared_where_tokens_are_the_same(checkpoint_client):
    page = open_step(checkpoint_client, "side-by-side", model="bert", open="compare")
    groups = [each["label"] for each in page.find_all("select#minus optgroup")]
    assert groups == ["bert", "bert-base", "bert-short", "distilbert"]
    query = {"model": "bert", "minus": "distilbert.1"}
    assert lab_json(checkpoint_client, "side-by-side", **query)["compared"]["moved"] > 0
    other_tokens = step_path("side-by-side", model="bert", minus="headwise-h1.0")
    assert checkpoint_client.get(other_tokens).status_code == 422


def test_a_model_with_fewer_layers_is_compared_by_its_last_and_says_so(checkpoint_client):
    query = {"model": "bert", "minus": "bert-short.1", "text": "The cat sat", "reveal": 1}
    note = "layer 2 minus layer 0, the last of bert-short"
    assert note in open_step(checkpoint_client, "side-by-side", layer=2, **query).text
    assert "the last of" not in open_step(checkpoint_client, "side-by-side", layer=0, **query).text


@pytest.mark.parametrize("suffix", ["", "/handout"])
def test_a_model_with_too_few_tokens_is_not_compared(checkpoint_client, suffix):
    url = step_path("side-by-side", suffix, model="bert", minus="bert-short.0", text="cat " * 20)
    answer = checkpoint_client.get(url)
    assert answer.status_code == 422
    assert "bert-short reads at most 9 tokens" in answer.text


def test_a_cell_is_dropped_when_the_tokens_change(checkpoint_client):
    cell = {"cell": "1.0", "open": "change"}
    page = open_step(checkpoint_client, "pipeline", model="headwise-h4", **cell)
    assert "cell" not in press(checkpoint_client, page, "#source-checkpoint")
    assert press(checkpoint_client, page, "#model-headwise-h8")["cell"] == "1.0"
