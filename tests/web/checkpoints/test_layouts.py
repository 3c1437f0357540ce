"""Ways to show the heads of a checkpoint: shuffled words, shared keys and values, all layers."""

import pytest

from tests.web.checkpoints.requests import (
    TEXT,
    lab_json,
    open_step,
    press,
    step_path,
)
from tests.web.conftest import CHECKPOINT_KINDS


class TestShuffled:
    @pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
    def test_words_are_shuffled_and_special_tokens_are_not(
        self, checkpoint_client, checkpoint_models, kind
    ):
        text = "The cat sat on the cat because it was the cat"
        original, shuffled = (
            lab_json(checkpoint_client, "measures", model=kind, text=text, shuffled=value)
            for value in ("", "1")
        )
        names, shuffled_names = (
            [token["text"] for token in each["tokens"]] for each in (original, shuffled)
        )
        assert names != shuffled_names
        specials, shuffled_specials = (
            [(i, token["text"]) for i, token in enumerate(each["tokens"]) if token["special"]]
            for each in (original, shuffled)
        )
        assert specials == shuffled_specials
        sentence = checkpoint_models[kind].tokenizer.sentence(text)
        assert len(specials) == sentence.n_special_tokens
        assert shuffled["lab"]["sentence"] != text
        assert sorted(shuffled["lab"]["sentence"].split()) == sorted(text.split())


class TestSharedKeysAndValues:
    def test_a_page_says_which_heads_share_keys_and_values(self, checkpoint_client):
        page = open_step(checkpoint_client, "sharing", model="llama", show="grid").text
        assert page.count("keys and values shared by heads 0 to 1") == 2
        assert page.count("keys and values shared by heads 2 to 3") == 2
        assert "Above: 2 sets for 4 heads, as trained" in page
        without_sharing = open_step(checkpoint_client, "sharing", model="bert", show="grid").text
        assert "shared by heads" not in without_sharing

    def test_the_overview_says_so_too(self, checkpoint_client):
        page = open_step(checkpoint_client, "sharing", model="llama", show="overview")
        assert [each.text for each in page.find_all(".shared")] == ["set 0", "set 1"]
        page = open_step(checkpoint_client, "sharing", model="bert", show="overview")
        assert not page.has(".shared")

    def test_kv_heads_can_be_pooled_further_but_not_split(self, checkpoint_client):
        pooled = lab_json(checkpoint_client, "sharing", model="llama", groups=1)
        assert pooled["lab"]["groupings"] == [1, 2]
        assert max(pooled["lab"]["moved"]) > 0
        split = checkpoint_client.get(step_path("sharing", model="llama", groups=4))
        assert split.status_code == 422

    def test_the_api_lists_the_kv_head_of_each_head(self, checkpoint_client):
        def kv_heads(**query):
            return lab_json(checkpoint_client, "sharing", **query)["sets"]

        assert kv_heads(model="llama") == [0, 0, 1, 1]
        assert kv_heads(model="llama", groups=1) == [0, 0, 0, 0]
        assert kv_heads(model="bert") == [0, 1, 2, 3]
        models = checkpoint_client.get("/api/v1/models").json()
        n_sets = {each["id"]: each["n_sets"] for each in models}
        assert (n_sets["llama"], n_sets["bert"], n_sets["headwise-h8"]) == (2, 4, 8)

    def test_the_shapes_are_those_of_the_model(self, checkpoint_client):
        shapes = open_step(checkpoint_client, "sharing", model="llama").find("#shapes")
        names = [each.text for each in shapes.find_all("dt")]
        values = [each.text for each in shapes.find_all("dd")]
        assert dict(zip(names, values, strict=True))["K and V, each"].startswith("2 × ")


class TestOverview:
    @pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
    def test_every_head_of_every_layer_has_a_thumbnail(
        self, checkpoint_client, checkpoint_models, kind
    ):
        card = checkpoint_models[kind].card
        page = open_step(checkpoint_client, "side-by-side", model=kind, show="overview")
        buttons = page.find_all("button[name=at]")
        assert [button["value"] for button in buttons] == [
            f"{layer}.{head}" for layer in range(card.n_layers) for head in range(card.n_heads)
        ]
        assert all(button.has("svg.map-thumb") for button in buttons)

    def test_a_press_chooses_layer_and_head(self, checkpoint_client):
        page = open_step(checkpoint_client, "side-by-side", model="bert", show="overview")
        view = press(checkpoint_client, page, "button[name=at][value=2.3]")
        assert (view["layer"], view["head"], view["open"]) == ("2", "3", "heads")
        assert (view["model"], view["text"]) == ("bert", TEXT)

    def test_builtin_models_have_one_as_well(self, checkpoint_client):
        page = open_step(checkpoint_client, "mix", model="headwise-h8", show="overview")
        assert len(page.find_all("button[name=at]")) == 16
