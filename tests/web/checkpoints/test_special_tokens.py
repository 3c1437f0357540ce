"""Special tokens, which a checkpoint's tokenizer adds: shown, marked, hidden."""

import numpy as np
import pytest

from tests.web.checkpoints.requests import (
    KINDS_WITH_SPECIAL_TOKENS,
    STEP_WITH_LAB,
    lab_json,
    open_step,
    press,
    query_of,
    step_path,
)
from tests.web.conftest import CHECKPOINT_KINDS
from tests.web.html import submission_url
from tests.web.requests import HTMX


@pytest.mark.parametrize("kind", KINDS_WITH_SPECIAL_TOKENS)
def test_they_are_shown_and_marked(checkpoint_client, checkpoint_models, kind):
    sentence = checkpoint_models[kind].tokenizer.sentence("The cat didn't sit down")
    tokens = lab_json(checkpoint_client, "side-by-side", model=kind)["tokens"]
    assert [token["text"] for token in tokens] == [token.text for token in sentence.tokens]
    specials = [token["text"] for token in tokens if token["special"]]
    assert specials == {"llama": ["<s>"], "roberta": ["<s>", "</s>"]}.get(kind, ["[CLS]", "[SEP]"])


@pytest.mark.parametrize("lab", STEP_WITH_LAB)
@pytest.mark.parametrize("kind", KINDS_WITH_SPECIAL_TOKENS)
def test_hidden_ones_leave_rows_that_are_renormalised(checkpoint_client, lab, kind):
    visible = lab_json(checkpoint_client, lab, model=kind)
    hidden = lab_json(checkpoint_client, lab, model=kind, hide=1)
    content = [index for index, token in enumerate(visible["tokens"]) if not token["special"]]
    assert 0 < len(content) < len(visible["tokens"])
    assert hidden["tokens"] == [visible["tokens"][index] for index in content]
    content_weights = np.array(visible["weights"])[:, content][:, :, content]
    expected = content_weights / content_weights.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(hidden["weights"], expected, atol=1e-5)


def test_the_switch_says_that_rows_are_renormalised(checkpoint_client):
    shown = {"model": "bert", "reveal": 1}
    visible = open_step(checkpoint_client, "side-by-side", **shown, open="change")
    switch = visible.find("button#hide")
    assert (switch["name"], switch["value"]) == ("hide", "1")
    assert switch.text == "Hide specials (renormalised)"
    assert "[CLS]" in visible.find(".lab-body").text
    hidden = open_step(checkpoint_client, "side-by-side", **shown, hide=1)
    assert "each row is renormalised to 1" in hidden.find("#lab-view").text
    assert "[CLS]" not in hidden.find(".lab-body").text


@pytest.mark.parametrize("kind", ["gpt2", "qwen2", "headwise-h4"])
def test_there_is_no_switch_where_the_tokenizer_adds_nothing(checkpoint_client, kind):
    page = open_step(checkpoint_client, "side-by-side", model=kind)
    assert page.has("button#word-0")
    assert not page.has("button#hide")


@pytest.mark.parametrize("kind", ["headwise-h4", *CHECKPOINT_KINDS])
def test_a_word_has_the_same_index_in_every_model(checkpoint_client, kind):
    page = open_step(checkpoint_client, "side-by-side", model=kind, word=1)
    pressed = page.find_all("[name=word][aria-pressed=true]")
    assert [(button["id"], button.text.lower()) for button in pressed] == [("word-1", "cat")]
    tokens = lab_json(checkpoint_client, "side-by-side", model=kind, word=1)["tokens"]
    of_word = [token for token in tokens if token["word"] == 1]
    assert (of_word[0]["start"], of_word[-1]["end"]) == (4, 7)


def test_a_special_token_can_be_the_query_until_it_is_hidden(checkpoint_client):
    asking = {"model": "bert", "word": 5}
    page = open_step(checkpoint_client, "side-by-side", **asking, open="change", reveal=1)
    assert page.find("#word-5[aria-pressed=true]").text == "[CLS]"
    assert page.find(".reading bdi.is-query").text == "[CLS]"
    refused = checkpoint_client.get(step_path("side-by-side", hide=1, **asking))
    assert refused.status_code == 422
    url = submission_url(page, "lab", "#hide")
    answer = checkpoint_client.get(url, headers=HTMX)
    assert answer.status_code == 200
    assert query_of(answer.headers["HX-Push-Url"])["word"] == "4"


def test_a_cell_is_counted_in_all_tokens_whether_shown_or_not(checkpoint_client):
    hidden = lab_json(checkpoint_client, "pipeline", model="bert", cell="1.0", hide=1)
    visible = lab_json(checkpoint_client, "pipeline", model="bert", cell="2.1")
    explained = [each["explained"] for each in (hidden, visible)]
    assert [(each["query"], each["key"]) for each in explained] == [("cat", "The")] * 2
    assert explained[0]["weight"] == pytest.approx(explained[1]["weight"])
    head = int(hidden["view"]["head"])
    assert explained[0]["among_shown"] == pytest.approx(hidden["weights"][head][1][0], abs=1e-6)
    assert explained[0]["among_shown"] != pytest.approx(explained[0]["weight"], abs=1e-6)
    assert explained[1]["among_shown"] is None


def test_hiding_drops_a_cell_whose_indices_change(checkpoint_client):
    page = open_step(checkpoint_client, "pipeline", model="bert", cell="2.1", open="change")
    assert "cell" not in press(checkpoint_client, page, "#hide")
    assert press(checkpoint_client, page, "#layer-1")["cell"] == "2.1"


@pytest.mark.parametrize(
    ("suffix", "note"),
    [
        ("", "each row is renormalised to 1"),
        ("/numbers", "renormalised"),
        ("/handout", "renormalised"),
    ],
)
@pytest.mark.parametrize("hide", ["", "1"])
def test_pages_say_that_rows_are_renormalised(checkpoint_client, suffix, note, hide):
    page = open_step(checkpoint_client, "side-by-side", suffix, model="bert", hide=hide)
    assert (note in page.text) == (hide == "1")


@pytest.mark.parametrize("file", ["map.svg", "view.json"])
def test_files_say_that_rows_are_renormalised(checkpoint_client, file):
    note = "Special tokens are hidden, rows renormalised"
    for hide in ("", "1"):
        url = step_path("side-by-side", f"/export/{file}", model="bert", hide=hide)
        assert (note in checkpoint_client.get(url).text) == (hide == "1")


def test_entropies_with_the_divisor_are_those_of_the_visible_maps(checkpoint_client):
    result = lab_json(checkpoint_client, "budget", model="bert", hide=1)
    weights = np.array(result["weights"])
    entropies = -(weights * np.log2(weights)).sum(axis=-1).mean(axis=-1)
    assert [scaled for scaled, _ in result["lab"]["entropies"]] == pytest.approx(
        entropies.tolist(), abs=1e-5
    )
    assert [head["mean_entropy"] for head in result["lab"]["heads"]] == pytest.approx(
        entropies.tolist(), abs=1e-5
    )


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_the_weight_to_special_tokens_is_a_metric_where_there_are_any(checkpoint_client, kind):
    def metric_names(**query):
        lab = lab_json(checkpoint_client, "measures", model=kind, **query)["lab"]
        return [score["name"] for score in lab["measures"][0]["scores"]]

    names = metric_names()
    assert ("special tokens" in names) == (kind == "bert")
    assert metric_names(hide=1) == [name for name in names if name != "special tokens"]
