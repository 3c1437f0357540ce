"""Checkpoints through the web: every lab, link, file and number works with them."""

import io
import json
import logging
import re
from html import unescape
from shutil import copytree
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from starlette.testclient import TestClient

from app.exports.formats import FORMATS as FILES
from app.lesson import load_lessons
from app.main import create_app
from app.models import load_builtin_models
from app.settings import Settings, site_folder
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint
from tests.web.conftest import CHECKPOINT_KINDS

(LESSON,) = load_lessons(site_folder("lessons"), load_builtin_models()).lessons
SLUGS = [step.slug for step in LESSON.steps]
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
RESTORE = {"HX-Request": "true", "HX-Request-Type": "full", "HX-History-Restore-Request": "true"}
TEXT = "The cat didn't sit down"
ENCODER_KINDS, CAUSAL_KINDS = ("bert", "roberta", "distilbert"), ("gpt2", "llama", "qwen2")
UNUSUAL_TEXTS = [
    "<script>alert(1)</script>",
    "👩‍👩‍👧 is over",
    "מה שלומך",
    "a [MASK] b <mask>",
    "[CLS] [SEP]",
    "</s><s> <|endoftext|>",
    "a  b   c",
    "\u0301",
    "x" * 300,
    "it’s 3.50$ & “so”…",
]
KINDS_WITH_SPECIAL_TOKENS = (*ENCODER_KINDS, "bert-base", "llama")


def step_path(slug, **query):
    return f"/{LESSON.slug}/{slug}?{urlencode({'text': TEXT} | query)}"


def lab_json(client, slug, **query):
    answer = client.get(f"/api/v1/labs{step_path(slug, **query)}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def map_markup(html):
    return re.findall(r'<svg class="map map-(?!thumb).*?</svg>', html)


@pytest.mark.parametrize("headers", [{}, HTMX, RESTORE], ids=["page", "fragment", "restore"])
@pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
@pytest.mark.parametrize("slug", SLUGS)
def test_every_step_works_for_every_family(checkpoint_client, slug, kind, headers):
    answer = checkpoint_client.get(step_path(slug, model=kind, layer=1, head=1), headers=headers)
    assert answer.status_code == 200
    assert map_markup(answer.text)
    assert f"{kind} · layer 1" in answer.text
    ids = re.findall(r'\sid="([^"]+)"', answer.text)
    assert len(ids) == len(set(ids))
    assert ">None<" not in answer.text


@pytest.mark.parametrize("kind", CAUSAL_KINDS)
@pytest.mark.parametrize("slug", SLUGS)
def test_causal_models_are_causal_in_every_lab(checkpoint_client, slug, kind):
    for layer in range(2):
        weights = np.array(lab_json(checkpoint_client, slug, model=kind, layer=layer)["weights"])
        assert np.all(np.triu(weights, k=1) == 0)
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", ENCODER_KINDS)
def test_encoders_attend_in_both_directions(checkpoint_client, kind):
    weights = np.array(lab_json(checkpoint_client, SLUGS[0], model=kind)["weights"])
    assert np.all(weights > 0)


@pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
def test_the_lab_shows_the_weights_of_the_model(checkpoint_client, checkpoint_models, kind):
    model = checkpoint_models[kind]
    forward_pass = model.run(model.tokenizer.sentence(TEXT))
    for layer, weights in enumerate(forward_pass.weights):
        shown_weights = np.array(
            lab_json(checkpoint_client, SLUGS[0], model=kind, layer=layer)["weights"]
        )
        np.testing.assert_allclose(shown_weights, weights, atol=1e-6)


class TestSpecialTokens:
    @pytest.mark.parametrize("kind", KINDS_WITH_SPECIAL_TOKENS)
    def test_they_are_shown_and_marked(self, checkpoint_client, checkpoint_models, kind):
        sentence = checkpoint_models[kind].tokenizer.sentence(TEXT)
        tokens = lab_json(checkpoint_client, SLUGS[0], model=kind)["tokens"]
        assert [token["text"] for token in tokens] == [token.text for token in sentence.tokens]
        specials = [token["text"] for token in tokens if token["special"]]
        assert specials == {"llama": ["<s>"], "roberta": ["<s>", "</s>"]}.get(
            kind, ["[CLS]", "[SEP]"]
        )

    @pytest.mark.parametrize("slug", SLUGS)
    @pytest.mark.parametrize("kind", KINDS_WITH_SPECIAL_TOKENS)
    def test_with_special_tokens_hidden_rows_are_renormalised(self, checkpoint_client, slug, kind):
        visible = lab_json(checkpoint_client, slug, model=kind)
        hidden = lab_json(checkpoint_client, slug, model=kind, hide=1)
        content_tokens = [
            place for place, token in enumerate(visible["tokens"]) if not token["special"]
        ]
        assert hidden["tokens"] == [visible["tokens"][place] for place in content_tokens]
        content_weights = np.array(visible["weights"])[:, content_tokens][:, :, content_tokens]
        expected = content_weights / content_weights.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(hidden["weights"], expected, atol=1e-5)

    def test_the_switch_says_that_rows_are_renormalised(self, checkpoint_client):
        visible = checkpoint_client.get(step_path(SLUGS[0], model="bert")).text
        assert 'name="hide" value="1"' in visible
        assert "Hide specials (renormalised)" in visible
        hidden = checkpoint_client.get(step_path(SLUGS[0], model="bert", hide=1)).text
        assert "brought back to 1 (renormalised)" in hidden
        assert "[CLS]" not in re.sub(r'<section class="explain" aria-labelledby="compare.*', "",
                                     hidden, flags=re.S)  # fmt: skip

    @pytest.mark.parametrize("kind", ["gpt2", "qwen2", "headwise-h4"])
    def test_there_is_no_switch_where_nothing_is_added(self, checkpoint_client, kind):
        assert 'name="hide"' not in checkpoint_client.get(step_path(SLUGS[0], model=kind)).text

    def test_a_word_has_the_same_index_in_every_model(self, checkpoint_client):
        for kind in ("headwise-h4", *CHECKPOINT_KINDS):
            page = checkpoint_client.get(step_path(SLUGS[0], model=kind, word=1)).text
            pressed = re.search(r'<button id="word-1"[^>]*aria-pressed="true"', page)
            assert pressed, kind
            response = lab_json(checkpoint_client, SLUGS[0], model=kind, word=1)
            of_word = [token for token in response["tokens"] if token["word"] == 1]
            assert (of_word[0]["start"], of_word[-1]["end"]) == (4, 7)

    def test_a_special_token_can_be_the_query_until_it_is_hidden(self, checkpoint_client):
        asking = step_path(SLUGS[0], model="bert", word=5)
        assert '<bdi class="is-query">[CLS]</bdi>' in checkpoint_client.get(asking).text
        assert checkpoint_client.get(f"{asking}&hide=1").status_code == 422
        pressed = checkpoint_client.get(f"{asking}&hide=1&edit=1&was_hide=", headers=HTMX)
        assert pressed.status_code == 200
        assert "word=4" in pressed.headers["HX-Push-Url"]

    def test_a_cell_is_one_of_those_that_are_shown(self, checkpoint_client):
        hidden = lab_json(checkpoint_client, SLUGS[1], model="bert", cell="1.0", hide=1)[
            "explained"
        ]
        visible = lab_json(checkpoint_client, SLUGS[1], model="bert", cell="2.1")["explained"]
        assert (
            (hidden["query"], hidden["key"]) == (visible["query"], visible["key"]) == ("cat", "The")
        )
        assert hidden["weight"] == pytest.approx(visible["weight"])
        shown_weight = lab_json(checkpoint_client, SLUGS[1], model="bert", hide=1)["weights"][2][1][
            0
        ]
        assert hidden["among_shown"] == pytest.approx(shown_weight, abs=1e-6)
        assert visible["among_shown"] is None

    def test_hiding_drops_a_cell_with_other_indices(self, checkpoint_client):
        url = step_path(
            SLUGS[1], model="bert", cell="2.1", hide="1", edit="1", was_hide="", was_model="bert"
        )
        assert "cell=" not in checkpoint_client.get(url).headers["location"]
        unchanged_path = step_path(
            SLUGS[1], model="bert", cell="2.1", hide="1", edit="1", was_hide="1", was_model="bert"
        )
        assert "cell=2.1" in checkpoint_client.get(unchanged_path).headers["location"]


class TestPredictions:
    @pytest.mark.parametrize("slug", SLUGS)
    @pytest.mark.parametrize("kind", ["bert", "gpt2", "llama"])
    def test_a_prediction_is_about_the_checkpoint_that_is_shown(
        self, checkpoint_client, slug, kind
    ):
        page = checkpoint_client.get(step_path(slug, model=kind))
        choices = re.findall(r'name="commit" value="([^"]*)"', page.text)
        assert choices
        form = {"model": kind, "edit": 1, "commit": choices[0], "layer": 0, "head": 0, "word": 0}
        form |= {f"was_{name}": form[name] for name in ("model", "layer", "head", "word")}
        answer = checkpoint_client.get(step_path(slug, **form, was_text=TEXT))
        view = parse_qs(urlsplit(answer.headers["location"]).query)
        assert view["model"] == [kind]
        assert view["predict"] == [choices[0]]
        revealed = checkpoint_client.get(answer.headers["location"]).text
        assert 'data-outcome="' in revealed

    def test_how_many_words_the_heads_pick_is_counted_on_the_checkpoints_maps(
        self, checkpoint_client, checkpoint_models
    ):
        model = checkpoint_models["gpt2"]
        sentence = model.tokenizer.sentence("The cat sat down")
        weights = model.run(sentence).weights[0]
        query = next(i for i, token in enumerate(sentence.tokens) if token.word == 2)
        words = {
            sentence.tokens[int(key)].word
            for key in weights[:, query].argmax(axis=-1)
        }  # fmt: skip
        assert all(not word.is_split for word in sentence.words) or words
        result = lab_json(
            checkpoint_client, SLUGS[0], text="The cat sat down", model="gpt2", word=2
        )
        if not any(word.is_split for word in sentence.words):
            assert result["prediction"]["answers"] == [str(len(words))]

    def test_a_prediction_about_one_model_is_not_judged_on_another(self, checkpoint_client):
        form = {"edit": 1, "layer": 0, "word": 0, "predict": "1", "was_text": TEXT}
        form |= {"was_layer": 0, "was_word": 0, "was_head": 0, "head": 0}
        for was, now, stays in [
            ("headwise-h8", "bert", False),
            ("bert", "gpt2", False),
            ("gpt2", "headwise-h2", False),
            ("headwise-h2", "headwise-h4", True),
            ("bert", "bert", True),
        ]:
            url = step_path(SLUGS[0], was_model=was, model=now, **form)
            assert ("predict=1" in checkpoint_client.get(url).headers["location"]) == stays

    def test_an_empty_field_with_a_prediction_is_reported_for_a_short_model(
        self, checkpoint_client
    ):
        for slug in SLUGS:
            url = step_path(slug, model="bert-short", text="", predict="0")
            assert checkpoint_client.get(url).status_code == 422

    def test_a_step_may_have_a_checkpoint_as_its_default_model(self, checkpoint_models, tmp_path):
        copytree(site_folder("lessons"), tmp_path / "lessons")
        config_file = tmp_path / "lessons" / LESSON.slug / f"0{6}-measure-before-you-name.toml"
        toml = config_file.read_text(encoding="utf-8")
        config_file.write_text(
            toml.replace('model = "headwise-h8"', 'model = "bert"', 1), encoding="utf-8"
        )
        library = load_lessons(tmp_path / "lessons", checkpoint_models)
        problems = [str(mistake) for mistake in library.issues if "release" not in str(mistake)]
        assert not any("cannot be loaded" in each for each in problems)
        (lesson,) = library.lessons
        assert lesson.step("6").config.defaults.model == "bert"


class TestTokenPredictions:
    @pytest.mark.parametrize("kind", ENCODER_KINDS)
    def test_encoders_predict_a_masked_word(self, checkpoint_client, kind):
        result = lab_json(checkpoint_client, SLUGS[4], model=kind, word=1)["lab"]["guesses"]
        assert not result["is_next"]
        mask = "<mask>" if kind == "roberta" else "[MASK]"
        assert result["text"] == f"The {mask} didn't sit down"
        page = checkpoint_client.get(step_path(SLUGS[4], model=kind, word=1)).text
        assert "masked and guessed" in page

    @pytest.mark.parametrize("kind", CAUSAL_KINDS)
    def test_causal_models_predict_the_next_token_from_the_preceding_ones(
        self, checkpoint_client, kind
    ):
        result = lab_json(checkpoint_client, SLUGS[4], model=kind, word=1)["lab"]["guesses"]
        assert result["is_next"]
        assert result["text"] == "The cat"
        longer = lab_json(
            checkpoint_client, SLUGS[4], model=kind, word=1, text="The cat sang, I think, and left"
        )
        # What follows has no influence.
        before, after = result["before"], longer["lab"]["guesses"]["before"]
        assert [guess["text"] for guess in before] == [guess["text"] for guess in after]

    @pytest.mark.parametrize("kind", ["gpt2", "bert"])
    def test_ablated_heads_change_the_prediction(self, checkpoint_client, kind):
        off = "0.0,0.1,1.0,1.1,2.0,2.1"
        result = lab_json(checkpoint_client, SLUGS[4], model=kind, word=1, off=off)["lab"][
            "guesses"
        ]
        assert result["before"] != result["after"]

    def test_a_model_without_an_lm_head_says_so(self, checkpoint_client):
        assert lab_json(checkpoint_client, SLUGS[4], model="bert-base")["lab"]["guesses"] is None
        page = checkpoint_client.get(step_path(SLUGS[4], model="bert-base")).text
        assert "bert-base cannot be asked for a word" in page
        answer = checkpoint_client.get("/api/v1/predict?text=The+[MASK]+sat&model=bert-base")
        assert answer.status_code == 422
        assert "guesses no words" in answer.json()["error"]["problems"][0]["message"]

    def test_the_api_predicts_in_each_models_way(self, checkpoint_client, checkpoint_models):
        hidden = checkpoint_client.get("/api/v1/predict?text=The+[MASK]+sat&model=bert").json()
        assert (hidden["guesses"], hidden["blanks"][0]["token"]) == ("hidden", 2)
        following = checkpoint_client.get("/api/v1/predict?text=The+cat&model=llama").json()
        tokens = checkpoint_models["llama"].tokenizer.sentence("The cat").tokens
        assert (following["guesses"], following["blanks"][0]["token"]) == (
            "next",
            len(tokens) - 1,
        )
        named = checkpoint_client.get("/api/v1/predict?text=The+cat+sat&model=roberta")
        assert "There is no <mask>" in named.json()["error"]["problems"][0]["message"]


class TestShuffled:
    @pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
    def test_words_are_shuffled_and_special_tokens_are_not(self, checkpoint_client, kind):
        text = "The cat sat on the cat because it was the cat"
        original = lab_json(checkpoint_client, SLUGS[5], model=kind, text=text)
        shuffled = lab_json(checkpoint_client, SLUGS[5], model=kind, text=text, shuffled=1)
        names, shuffled_names = (
            [token["text"] for token in each["tokens"]] for each in (original, shuffled)
        )
        assert names != shuffled_names
        specials = [
            [(i, token["text"]) for i, token in enumerate(each["tokens"]) if token["special"]]
            for each in (original, shuffled)
        ]
        assert specials[0] == specials[1]
        words = [sorted(shuffled["lab"]["sentence"].split()), sorted(text.split())]
        assert words[0] == words[1]

    @pytest.mark.parametrize("kind", ["bert", "gpt2"])
    def test_how_much_goes_to_special_tokens_is_a_measure_of_its_own(self, checkpoint_client, kind):
        names = [
            score["name"]
            for score in lab_json(checkpoint_client, SLUGS[5], model=kind)["lab"]["measures"][0][
                "scores"
            ]
        ]
        assert ("special tokens" in names) == (kind == "bert")
        hidden = lab_json(checkpoint_client, SLUGS[5], model=kind, hide=1)["lab"]["measures"][0]
        assert [score["name"] for score in hidden["scores"]] == names[:4]


class TestRenormalisationNotices:
    @pytest.mark.parametrize("suffix", ["", "/numbers", "/handout"])
    def test_pages_say_that_rows_are_renormalised(self, checkpoint_client, suffix):
        page = checkpoint_client.get(step_path(f"{SLUGS[0]}{suffix}", model="bert", hide=1)).text
        assert "renormalised" in page

    def test_files_say_so(self, checkpoint_client):
        for file in ("map.svg", "view.json"):
            url = step_path(f"{SLUGS[0]}/export/{file}", model="bert", hide=1)
            assert "Special tokens are hidden, rows renormalised" in checkpoint_client.get(url).text

    def test_what_is_announced_counts_the_learners_words(self, checkpoint_client):
        fragment = checkpoint_client.get(step_path(SLUGS[0], model="bert"), headers=HTMX).text
        assert "Maps of 5 words by bert" in fragment

    def test_entropies_with_and_without_the_divisor_are_those_of_the_maps(self, checkpoint_client):
        result = lab_json(checkpoint_client, SLUGS[3], model="bert", hide=1)["lab"]
        for head, (divided, _) in zip(result["heads"], result["entropies"], strict=True):
            assert head["mean_entropy"] == pytest.approx(divided, abs=1e-5)


class TestSharedKeysAndValues:
    def test_a_page_says_which_heads_share_keys_and_values(self, checkpoint_client):
        page = checkpoint_client.get(step_path(SLUGS[6], model="llama", show="grid")).text
        assert page.count("keys and values shared by heads 0 to 1") == 2
        assert page.count("keys and values shared by heads 2 to 3") == 2
        assert "4 heads share 2 sets of keys and values" in page
        assert (
            "shared by heads" not in checkpoint_client.get(step_path(SLUGS[6], model="bert")).text
        )

    def test_the_overview_says_so_too(self, checkpoint_client):
        page = checkpoint_client.get(step_path(SLUGS[6], model="llama", show="overview")).text
        assert re.findall(r'class="shared">(set \d)<', page) == ["set 0", "set 1"]

    def test_kv_heads_can_be_pooled_further_but_not_split(self, checkpoint_client):
        pooled = lab_json(checkpoint_client, SLUGS[6], model="llama", groups=1)
        assert pooled["lab"]["groupings"] == [1, 2]
        assert max(pooled["lab"]["moved"]) > 0
        assert (
            checkpoint_client.get(step_path(SLUGS[6], model="llama", groups=4)).status_code == 422
        )

    def test_the_api_lists_the_kv_head_of_each_head(self, checkpoint_client):
        assert lab_json(checkpoint_client, SLUGS[6], model="llama")["sets"] == [0, 0, 1, 1]
        assert lab_json(checkpoint_client, SLUGS[6], model="llama", groups=1)["sets"] == [
            0,
            0,
            0,
            0,
        ]
        assert lab_json(checkpoint_client, SLUGS[6], model="bert")["sets"] == [0, 1, 2, 3]
        sets = {
            each["id"]: each["n_sets"] for each in checkpoint_client.get("/api/v1/models").json()
        }
        assert (sets["llama"], sets["bert"], sets["headwise-h8"]) == (2, 4, 8)

    def test_the_shapes_are_those_of_the_model(self, checkpoint_client):
        page = checkpoint_client.get(step_path(SLUGS[6], model="llama")).text
        assert "K and V, which heads share, are 2 ×" in page


class TestOverview:
    @pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
    def test_every_head_of_every_layer_has_a_thumbnail(
        self, checkpoint_client, checkpoint_models, kind
    ):
        card = checkpoint_models[kind].card
        page = checkpoint_client.get(step_path(SLUGS[0], model=kind, show="overview")).text
        places = re.findall(r'name="at" value="([^"]*)"', page)
        assert places == [
            f"{layer}.{head}" for layer in range(card.n_layers) for head in range(card.n_heads)
        ]

    def test_a_press_chooses_layer_and_head(self, checkpoint_client):
        url = step_path(SLUGS[0], model="bert", show="overview", edit=1, at="2.3", was_text=TEXT)
        view = parse_qs(urlsplit(checkpoint_client.get(url).headers["location"]).query)
        assert (view["layer"], view["head"], view["show"]) == (["2"], ["3"], ["overview"])

    def test_builtin_models_have_one_as_well(self, checkpoint_client):
        page = checkpoint_client.get(step_path(SLUGS[4], model="headwise-h8", show="overview")).text
        assert len(re.findall(r'name="at" value="', page)) == 16


class TestModelChoice:
    def test_checkpoints_are_chosen_by_name(self, checkpoint_client):
        page = checkpoint_client.get(step_path(SLUGS[0], model="bert")).text
        for kind in CHECKPOINT_KINDS:
            assert f'id="model-{kind}"' in page
        assert 'id="source-trained"' in page

    def test_builtin_models_can_be_chosen_again(self, checkpoint_client):
        page = checkpoint_client.get(step_path(SLUGS[0], model="bert")).text
        model_id = re.search(r'id="source-trained" name="model" value="([^"]*)"', page).group(1)
        assert model_id == "headwise-h4"

    def test_without_checkpoints_they_are_not_mentioned(self, client):
        assert "checkpoint" not in client.get(f"/{LESSON.slug}/{SLUGS[0]}").text.lower()

    def test_the_one_head_model_has_its_own_tokens(self, checkpoint_client):
        page = checkpoint_client.get(step_path(SLUGS[0], model="bert", text="The cat sat")).text
        first, second = page.split('aria-labelledby="panel-')[1:3]
        assert "[CLS]" not in first
        assert "[CLS]" in second

    def test_a_sentence_too_long_for_the_second_model_is_shown_without_it(self, checkpoint_client):
        long = "the cat sat down and " * 12
        answer = checkpoint_client.get(step_path(SLUGS[0], model="llama", text=long))
        assert answer.status_code == 200
        assert "too long for headwise-h1" in answer.text
        assert answer.text.count('aria-labelledby="panel-') == 1

    def test_heads_are_compared_where_tokens_are_the_same(self, checkpoint_client):
        page = checkpoint_client.get(step_path(SLUGS[0], model="bert")).text
        menu = re.search(r'<select id="minus".*?</select>', page, re.S).group(0)
        assert re.findall(r'optgroup label="([^"]*)"', menu) == [
            "bert",
            "bert-base",
            "bert-short",
            "distilbert",
        ]
        comparison = lab_json(checkpoint_client, SLUGS[0], model="bert", minus="distilbert.1")[
            "compared"
        ]
        assert comparison["moved"] > 0
        assert checkpoint_client.get(
            step_path(SLUGS[0], model="bert", minus="headwise-h1.0")
        ).status_code == 422  # fmt: skip

    def test_a_model_with_fewer_layers_is_compared_by_its_last_and_says_so(self, checkpoint_client):
        url = step_path(SLUGS[0], model="bert", layer=2, minus="bert-short.1", text="The cat sat")
        page = checkpoint_client.get(url).text
        assert "layer 2 minus layer 0, the last of bert-short" in page

    def test_a_model_with_too_few_tokens_is_not_compared(self, checkpoint_client):
        for place in (SLUGS[0], f"{SLUGS[0]}/handout"):
            answer = checkpoint_client.get(
                step_path(place, model="bert", minus="bert-short.0", text="cat " * 20)
            )
            assert answer.status_code == 422
            assert "bert-short reads at most 9 tokens" in answer.text

    def test_a_cell_is_dropped_when_the_tokens_change(self, checkpoint_client):
        query = {"cell": "1.0", "edit": 1, "was_text": TEXT}
        other_tokens = step_path(SLUGS[1], model="bert", was_model="headwise-h4", **query)
        assert "cell=" not in checkpoint_client.get(other_tokens).headers["location"]
        same_tokens = step_path(SLUGS[1], model="headwise-h8", was_model="headwise-h4", **query)
        assert "cell=1.0" in checkpoint_client.get(same_tokens).headers["location"]

    def test_each_panel_names_the_query_word_of_its_own_model(self, checkpoint_client):
        words = len(TEXT.split())
        page = checkpoint_client.get(step_path(SLUGS[0], model="bert", word=words)).text
        first, second = page.split('aria-labelledby="panel-')[1:3]
        assert '<bdi class="is-query">[CLS]</bdi>' in second
        assert "[CLS]" not in first


class TestLimits:
    @pytest.mark.parametrize(("kind", "max_tokens"), [("bert", 40), ("llama", 128)])
    def test_too_long_a_sentence_is_refused_and_kept(self, checkpoint_client, kind, max_tokens):
        long = "the cat sat down and " * 40
        answer = checkpoint_client.get(step_path(SLUGS[0], model=kind, text=long))
        assert answer.status_code == 422
        assert f"{kind} reads at most {max_tokens}" in answer.text
        assert f'value="{long}"' in unescape(answer.text)
        remedy = re.search(r'<a href="([^"]*)">Keep the first', answer.text).group(1)
        assert checkpoint_client.get(unescape(remedy)).status_code == 200

    @pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
    def test_an_empty_field_is_reported(self, checkpoint_client, kind):
        answer = checkpoint_client.get(step_path(SLUGS[0], model=kind, text="  "))
        assert answer.status_code == 422
        assert "There is no word here yet" in answer.text

    @pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
    @pytest.mark.parametrize("text", UNUSUAL_TEXTS)
    def test_unusual_sentences_work_in_every_lab(self, checkpoint_client, kind, text):
        for slug in SLUGS:
            answer = checkpoint_client.get(step_path(slug, model=kind, text=text))
            assert answer.status_code in (200, 422)
            assert "<script>alert" not in answer.text


class TestFiles:
    @pytest.mark.parametrize("file", [name for name in FILES if not name.startswith("difference")])
    @pytest.mark.parametrize("kind", ["roberta", "llama"])
    @pytest.mark.parametrize("show", ["map", "overview"])
    def test_every_file_is_made_of_a_checkpoint_too(self, checkpoint_client, kind, file, show):
        url = step_path(f"{SLUGS[0]}/export/{file}", model=kind, layer=2, hide=1, show=show)
        answer = checkpoint_client.get(url)
        assert answer.status_code == 200
        assert f"{kind}-layer2-head" in answer.headers["content-disposition"]

    def test_numbers_in_files_are_those_that_are_shown(self, checkpoint_client):
        query = {"model": "bert", "layer": 1, "hide": 1}
        lab_numbers = lab_json(checkpoint_client, SLUGS[0], **query)
        exported = checkpoint_client.get(step_path(f"{SLUGS[0]}/export/view.json", **query)).json()
        np.testing.assert_allclose(exported["map"], lab_numbers["weights"][2], atol=1e-7)
        assert exported["labels"] == [token["text"] for token in lab_numbers["tokens"]]
        assert len(exported["q"]) == len(exported["labels"])
        archive = checkpoint_client.get(step_path(f"{SLUGS[0]}/export/view.npz", **query)).content
        arrays = np.load(io.BytesIO(archive), allow_pickle=False)
        np.testing.assert_array_equal(arrays["maps"], np.array(lab_numbers["weights"], np.float32))

    def test_table_handout_assignment_and_code_know_checkpoints(self, checkpoint_client):
        table = checkpoint_client.get(step_path(f"{SLUGS[0]}/numbers", model="llama", hide=1)).text
        assert "&lt;s&gt;" not in table
        handout = checkpoint_client.get(step_path(f"{SLUGS[0]}/handout", model="llama", answers=1))
        assert "llama" in handout.text
        assert (
            checkpoint_client.get(step_path(f"{SLUGS[0]}/qr.svg", model="llama")).status_code == 200
        )
        step = f"/{LESSON.slug}/{SLUGS[0]}"
        assigned = checkpoint_client.get(f"/assign?step={step}&model=llama&hide=1&fixed=model")
        link = re.search(r'value="[^"]*(/multi-head[^"]*task=[^"]*)"', assigned.text).group(1)
        page = checkpoint_client.get(unescape(link)).text
        assert re.search(r'id="model-llama"[^>]*disabled', page)


@pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
def test_a_link_opens_exactly_the_same_view(checkpoint_client, kind):
    query = {"model": kind, "layer": 1, "head": 1, "word": 1, "cell": "1.0"}
    first = checkpoint_client.get(step_path(SLUGS[1], **query))
    link = re.search(r'id="share-link"[^>]*value="http://[^/]*([^"]*)"', first.text).group(1)
    second = checkpoint_client.get(unescape(link))
    assert map_markup(second.text) == map_markup(first.text)
    assert len(map_markup(first.text)) == 4


def test_a_bad_folder_is_logged_and_the_others_are_served(tmp_path, caplog):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text('{"model_type": "mamba"}')
    save_checkpoint("gpt2", tmp_path / "good")
    with caplog.at_level(logging.ERROR, "headwise"):
        settings = Settings(checkpoints=(tmp_path, tmp_path / "nowhere"))
        client = TestClient(create_app(settings), raise_server_exceptions=False)
    log = "\n".join(record.getMessage() for record in caplog.records)
    assert re.search(r"Left out: .*broken: its model_type is 'mamba'; read are bert", log)
    assert re.search(r"Left out: .*nowhere", log)
    assert client.get(step_path(SLUGS[0], model="good")).status_code == 200
    assert client.get(step_path(SLUGS[0], model="broken")).status_code == 422


def test_scores_that_overflow_are_reported_and_never_nan(tmp_path):
    file = save_checkpoint("bert-base", tmp_path / "huge") / "model.safetensors"
    tensors = load_file(file)
    for name in tensors:
        if "self.query.weight" in name or "self.key.weight" in name:
            tensors[name] *= 1e25
    save_file(tensors, file, metadata={"format": "pt"})
    client = TestClient(
        create_app(Settings(checkpoints=(tmp_path,))), raise_server_exceptions=False
    )
    with pytest.warns(RuntimeWarning):
        answer = client.get(step_path(SLUGS[0], model="huge"))
    assert answer.status_code == 422
    assert "their products overflow" in answer.text


def test_an_api_answer_lists_checkpoints_with_their_sizes(checkpoint_client):
    cards = {each["id"]: each["card"] for each in checkpoint_client.get("/api/v1/models").json()}
    assert cards["llama"]["source"] == "checkpoint"
    assert (cards["llama"]["n_heads"], cards["llama"]["n_kv_heads"]) == (4, 2)
    assert cards["gpt2"]["causal"]
    assert json.dumps(cards["bert"])
