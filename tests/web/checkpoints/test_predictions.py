"""Learners' predictions about checkpoints, and the words that checkpoints predict."""

from shutil import copytree

import pytest

from app.lesson import load_lessons
from app.settings import site_folder
from tests.web.checkpoints.requests import (
    CAUSAL_KINDS,
    ENCODER_KINDS,
    LESSON,
    STEP_WITH_LAB,
    lab_json,
    open_step,
    press,
    step_path,
)
from tests.web.conftest import CHECKPOINT_KINDS
from tests.web.html import form_values


@pytest.mark.parametrize("lab", [lab for lab in STEP_WITH_LAB if lab != "measures"])
@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama"])
def test_a_prediction_is_about_the_checkpoint_that_is_shown(checkpoint_client, lab, kind):
    page = open_step(checkpoint_client, lab, model=kind, word=1)
    choices = page.find_all("#predict button[name=commit]")
    assert len(choices) > 1
    assert not page.has("#predict [data-outcome]")
    view = press(checkpoint_client, page, f"#{choices[0]['id']}")
    assert (view["model"], view["predict"]) == (kind, choices[0]["value"])
    revealed = open_step(checkpoint_client, lab, **view)
    right = lab_json(checkpoint_client, lab, model=kind, word=1)["prediction"]["answers"]
    outcome = "right" if choices[0]["value"] in right else "wrong"
    assert revealed.find("#predict [data-outcome]")["data-outcome"] == outcome


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama"])
def test_a_checkpoint_without_records_is_not_asked_about_them(checkpoint_client, kind):
    page = open_step(checkpoint_client, "measures", model=kind)
    assert not page.has("#predict button[name=commit]")
    assert f"The heads of {kind} were never measured" in page.find("#predict").text
    assert not page.has(".hidden-part")


def top_words_by_loops(model, text, layer, word):
    """The words that the heads' rows of a word have their largest sum of weights on."""
    sentence = model.tokenizer.sentence(text)
    top_words = set()
    for head in model.run(sentence).weights[layer]:
        totals = dict.fromkeys(range(len(sentence.words)), 0.0)
        for query, row in zip(sentence.tokens, head, strict=True):
            if query.word == word:
                for key, weight in zip(sentence.tokens, row, strict=True):
                    totals[key.word] += float(weight)
        top_words.add(max(totals, key=totals.get))
    return top_words


@pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
def test_how_many_words_the_heads_pick_is_counted_on_the_checkpoints_maps(
    checkpoint_client, checkpoint_models, kind
):
    model, text = checkpoint_models[kind], "The dog that chased the cat"
    counts = set()
    for layer in range(2):
        for word in range(len(model.tokenizer.sentence(text).words)):
            query = {"text": text, "model": kind, "layer": layer, "word": word}
            prediction = lab_json(checkpoint_client, "side-by-side", **query)["prediction"]
            count = str(len(top_words_by_loops(model, text, layer, word)))
            assert prediction["answers"] == [count]
            counts.add(count)
    assert len(counts) > 1, "a constant would pass"


@pytest.mark.parametrize(
    ("was", "now", "stays"),
    [
        ("headwise-h8", "bert", False),
        ("bert", "gpt2", False),
        ("gpt2", "headwise-h2", False),
        ("headwise-h2", "headwise-h4", True),
        ("bert", "bert", True),
    ],
)
def test_a_prediction_about_one_model_is_not_judged_on_another(checkpoint_client, was, now, stays):
    page = open_step(checkpoint_client, "side-by-side", model=was, predict="1")
    form = {name: value for name, value in form_of(page).items() if name != "model"}
    answer = checkpoint_client.get(step_path("side-by-side", **form, model=now))
    assert ("predict=1" in answer.headers["location"]) == stays


def form_of(page):
    """The values of the lab's form without a button."""
    return dict(form_values(page, "lab"))


@pytest.mark.parametrize("lab", STEP_WITH_LAB)
def test_an_empty_field_with_a_prediction_is_reported(checkpoint_client, lab):
    answer = checkpoint_client.get(step_path(lab, model="bert-short", text="", predict="0"))
    assert answer.status_code == 422
    assert "There is no word here yet" in answer.text


def test_a_step_may_have_a_checkpoint_as_its_default_model(checkpoint_models, tmp_path):
    copytree(site_folder("lessons"), tmp_path / "lessons")
    (facts,) = (tmp_path / "lessons" / LESSON.slug).glob("*-heads-in-real-models.toml")
    toml = facts.read_text(encoding="utf-8")
    changed = toml.replace('model = "headwise-h8"', 'model = "bert"', 1)
    assert changed != toml
    changed = changed.replace("head = 4", "head = 0", 1)
    changed = changed.replace('declared = "3"', 'declared = "0-1"', 1)
    facts.write_text(changed, encoding="utf-8")
    library = load_lessons(tmp_path / "lessons", checkpoint_models)
    assert not any("cannot be loaded" in str(issue) for issue in library.issues)
    lesson = next(lesson for lesson in library.lessons if lesson.slug == LESSON.slug)
    step = next(step for step in lesson.steps if step.slug == STEP_WITH_LAB["sharing"])
    assert step.config.defaults.model == "bert"


@pytest.mark.parametrize("kind", ENCODER_KINDS)
def test_encoders_predict_a_masked_word(checkpoint_client, kind):
    result = lab_json(checkpoint_client, "mix", model=kind, word=1)["lab"]["guesses"]
    assert not result["is_next"]
    mask = "<mask>" if kind == "roberta" else "[MASK]"
    assert result["text"] == f"The {mask} didn't sit down"
    page = open_step(checkpoint_client, "mix", model=kind, word=1, reveal=1)
    assert "cat, hidden and guessed" in page.text
    assert "hidden and guessed" not in open_step(checkpoint_client, "mix", model=kind, word=1).text


@pytest.mark.parametrize("kind", CAUSAL_KINDS)
def test_causal_models_predict_the_next_token_from_the_preceding_ones(checkpoint_client, kind):
    longer = "The cat sang, I think, and left"
    here, there = (
        lab_json(checkpoint_client, "mix", model=kind, word=1, **query)["lab"]["guesses"]
        for query in ({}, {"text": longer})
    )
    assert here["is_next"]
    assert here["text"] == "The cat"
    assert len(here["before"]) > 1
    assert [each["text"] for each in here["before"]] == [each["text"] for each in there["before"]]


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
def test_predictions_without_all_heads_are_those_of_a_model_without_attention(
    checkpoint_client, checkpoint_models, kind
):
    """A model whose heads write nothing predicts from the token and its position alone."""
    n_layers, n_heads = (
        getattr(checkpoint_models[kind].card, name) for name in ("n_layers", "n_heads")
    )
    heads = [f"{layer}.{head}" for layer in range(n_layers) for head in range(n_heads)]

    def probabilities(off, which):
        query = {"model": kind, "word": 1, "off": ",".join(off)}
        lab = lab_json(checkpoint_client, "mix", text="The cat sat", **query)["lab"]
        return [each["probability"] for each in lab["guesses"][which]]

    assert probabilities(heads, "before") == probabilities([], "before")
    assert probabilities(heads, "after") != probabilities([], "before")
    for layer in range(n_layers):
        others = [head for head in heads if not head.startswith(f"{layer}.")]
        assert probabilities(others, "after") != probabilities(heads, "after")


def test_a_model_without_an_lm_head_says_so(checkpoint_client):
    assert lab_json(checkpoint_client, "mix", model="bert-base")["lab"]["guesses"] is None
    page = open_step(checkpoint_client, "mix", model="bert-base", reveal=1)
    assert "bert-base cannot guess a word" in page.text
    answer = checkpoint_client.get("/api/v1/predict?text=The+[MASK]+sat&model=bert-base")
    assert answer.status_code == 422
    assert "cannot predict words" in answer.json()["error"]["problems"][0]["message"]


def test_the_api_predicts_in_each_models_way(checkpoint_client, checkpoint_models):
    hidden = checkpoint_client.get("/api/v1/predict?text=The+[MASK]+sat&model=bert").json()
    assert (hidden["guesses"], hidden["blanks"][0]["token"]) == ("hidden", 2)
    following = checkpoint_client.get("/api/v1/predict?text=The+cat&model=llama").json()
    tokens = checkpoint_models["llama"].tokenizer.sentence("The cat").tokens
    assert (following["guesses"], following["blanks"][0]["token"]) == ("next", len(tokens) - 1)
    named = checkpoint_client.get("/api/v1/predict?text=The+cat+sat&model=roberta")
    assert "There is no <mask>" in named.json()["error"]["problems"][0]["message"]
