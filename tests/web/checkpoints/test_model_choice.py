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


def test_checkpoints_are_chosen_by_name(checkpoint_client):
    page = open_step(checkpoint_client, "side-by-side", model="bert")
    for kind in CHECKPOINT_KINDS:
        button = page.find(f"button#model-{kind}")
        assert (button["name"], button["value"], button.text) == ("model", kind, kind)
        assert button["aria-pressed"] == str(kind == "bert").lower()
    assert press(checkpoint_client, page, "#model-llama")["model"] == "llama"


def test_builtin_models_can_be_chosen_again(checkpoint_client):
    page = open_step(checkpoint_client, "side-by-side", model="bert")
    view = press(checkpoint_client, page, "#source-trained")
    assert view.get("model", "headwise-h4") == "headwise-h4"
    assert view["text"] == TEXT


def test_without_checkpoints_they_are_not_mentioned(client, checkpoint_client):
    path = f"/{LESSON.slug}/{STEP_WITH_LAB['side-by-side']}"
    assert "checkpoint" in checkpoint_client.get(path).text.lower()
    assert "checkpoint" not in client.get(path).text.lower()


def panels(page):
    """The text of the panel of the model with one head, and of the chosen model."""
    return [panel.text for panel in page.find_all("section.panel")]


def test_the_one_head_model_has_its_own_tokens(checkpoint_client):
    page = open_step(checkpoint_client, "side-by-side", model="bert", text="The cat sat")
    one_head, chosen = panels(page)
    assert "[CLS]" not in one_head
    assert "[CLS]" in chosen


def test_each_panel_names_the_query_word_of_its_own_model(checkpoint_client):
    cls = len(TEXT.split())
    page = open_step(checkpoint_client, "side-by-side", model="bert", word=cls)
    one_head, chosen = page.find_all("section.panel")
    readers = [{each.text for each in p.find_all("bdi.is-query")} for p in (one_head, chosen)]
    assert readers[1] == {"[CLS]"}
    assert len(readers[0]) == 1
    assert readers[0] < set(TEXT.split())


def test_a_sentence_too_long_for_the_one_head_model_is_shown_without_it(checkpoint_client):
    long = "the cat sat down and " * 12
    page = open_step(checkpoint_client, "side-by-side", model="llama", text=long)
    assert "too long for headwise-h1" in page.text
    assert len(panels(page)) == 1
    short = open_step(checkpoint_client, "side-by-side", model="llama")
    assert "too long for" not in short.text
    assert len(panels(short)) == 2


def test_heads_are_compared_where_tokens_are_the_same(checkpoint_client):
    page = open_step(checkpoint_client, "side-by-side", model="bert")
    groups = [each["label"] for each in page.find_all("select#minus optgroup")]
    assert groups == ["bert", "bert-base", "bert-short", "distilbert"]
    query = {"model": "bert", "minus": "distilbert.1"}
    assert lab_json(checkpoint_client, "side-by-side", **query)["compared"]["moved"] > 0
    other_tokens = step_path("side-by-side", model="bert", minus="headwise-h1.0")
    assert checkpoint_client.get(other_tokens).status_code == 422


def test_a_model_with_fewer_layers_is_compared_by_its_last_and_says_so(checkpoint_client):
    query = {"model": "bert", "minus": "bert-short.1", "text": "The cat sat"}
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
    page = open_step(checkpoint_client, "pipeline", model="headwise-h4", cell="1.0")
    assert "cell" not in press(checkpoint_client, page, "#source-checkpoint")
    assert press(checkpoint_client, page, "#model-headwise-h8")["cell"] == "1.0"
