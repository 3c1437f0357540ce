import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.attention import Intervention
from app.models.prediction import (
    CannotPredictError,
    NoMaskError,
    fill_mask,
    predict_next_token,
    predict_tokens,
    top_k,
)
from training.export import shipped_names
from training.model import MaskedWordModel, Sizes


def guesses(models, text, n_heads=4, **options):
    model = models[f"headwise-h{n_heads}"]
    return fill_mask(model, model.tokenizer.sentence(text), **options)


@pytest.mark.parametrize("n_heads", [2, 4, 8])
def test_a_door_is_opened(models, n_heads):
    (blank,) = guesses(models, "She opened the [MASK] and went into the room.", n_heads)
    assert blank.token == 3
    assert blank.guesses[0].text == "door"


def test_every_blank_is_filled_with_the_likeliest_first(models):
    blanks = guesses(models, "[MASK] [MASK] the [MASK].", top=8)
    assert [blank.token for blank in blanks] == [0, 1, 3]
    for blank in blanks:
        probabilities = [guess.probability for guess in blank.guesses]
        assert probabilities == sorted(probabilities, reverse=True)
        assert len(probabilities) == 8


def test_all_guesses_together_are_certain(models):
    (blank,) = guesses(models, "The [MASK]", top=10_000)
    assert len(blank.guesses) == 8192
    assert sum(guess.probability for guess in blank.guesses) == pytest.approx(1, abs=1e-4)


def test_a_head_that_is_off_changes_the_guess(models):
    text = "She opened the [MASK] and went into the room."
    off = Intervention(ablated_heads=frozenset({(0, 2)}))
    assert guesses(models, text) != guesses(models, text, intervention=off)


def test_without_a_blank_it_says_how_to_make_one(models):
    with pytest.raises(NoMaskError, match=r"Write \[MASK\]"):
        guesses(models, "The cat sat down")


@pytest.mark.parametrize("n_heads", [1, 2, 4, 8])
def test_torch_makes_the_same_guesses_from_the_shipped_weights(models, n_heads):
    model = models[f"headwise-h{n_heads}"]
    shipped = model.transformer
    theirs = MaskedWordModel(Sizes(n_heads, model.card.vocabulary)).eval()
    state = theirs.state_dict()
    for name, source in shipped_names(model.card.n_layers).items():
        tensor = torch.from_numpy(np.ascontiguousarray(_at(shipped, name)))
        state[source.removesuffix(".T")] = tensor.T if source.endswith(".T") else tensor
    theirs.load_state_dict(state)
    sentence = model.tokenizer.sentence("The [MASK] sat down and the dog [MASK] it.")
    ids = torch.tensor([sentence.ids])
    with torch.no_grad():
        likely = theirs(ids, ids == 2).softmax(-1)
    for row, blank in zip(likely, fill_mask(model, sentence, top=20), strict=True):
        top = row.sort(descending=True).values[:20].numpy()
        np.testing.assert_allclose([g.probability for g in blank.guesses], top, atol=1e-4)


def _at(transformer, name):
    """The array that a shipped tensor of this name became."""
    names = {"attention.qkv.weight": "attention.qkv", "attention.qkv.bias": "attention.qkv_bias"}
    names |= {
        "attention.output.weight": "attention.output",
        "attention.output.bias": "attention.output_bias",
        "logits_bias": "lm_head.bias",
        "tokens": "token_embedding",
        "positions": "position_embedding",
    }
    place = transformer
    if name.startswith("layers."):
        _, index, name = name.split(".", 2)
        place = transformer.layers[int(index)]
    for part in names.get(name, name).split("."):
        place = getattr(place, part)
    return place


def likely(their_model, model, ids, at):
    """transformers' probabilities there of every token that the tokenizer knows."""
    kind = model.card.id
    with torch.no_grad():
        whole = their_model(kind)(torch.tensor([ids])).logits[0, at].double().softmax(-1)
    return whole[: model.tokenizer.vocabulary_size]


@pytest.mark.parametrize("kind", ["gpt2", "gpt2-wide", "llama", "llama-narrow", "mistral", "qwen2"])
@pytest.mark.parametrize("after", [0, 3, -1])
def test_a_causal_checkpoint_guesses_the_next_word_as_transformers_does(
    our_model, their_model, kind, after
):
    model = our_model(kind)
    sentence = model.tokenizer.sentence("The cat sat down because")
    after %= len(sentence.tokens)
    expected = likely(their_model, model, sentence.ids, after).sort(descending=True)
    blank = predict_next_token(model, sentence, after, top=20)
    assert blank.token == after
    assert [g.probability for g in blank.guesses] == pytest.approx(
        expected.values[:20].tolist(), rel=1e-5
    )
    names = [model.tokenizer.decode_token(token)[0] for token in expected.indices[:3].tolist()]
    assert [guess.text for guess in blank.guesses[:3]] == names


@pytest.mark.parametrize("kind", ["bert", "bert-untied", "roberta", "roberta-relu", "distilbert"])
def test_a_checkpoint_fills_in_blanks_as_transformers_does(our_model, their_model, kind):
    model = our_model(kind)
    mask = model.tokenizer.mask_token
    sentence = model.tokenizer.sentence(f"The {mask} sat down and the {mask} too")
    blanks = fill_mask(model, sentence, top=20)
    assert [sentence.tokens[blank.token].text for blank in blanks] == [mask, mask]
    for blank in blanks:
        expected = likely(their_model, model, sentence.ids, blank.token).sort(descending=True)
        found = [guess.probability for guess in blank.guesses]
        assert found == pytest.approx(expected.values[:20].tolist(), rel=1e-5)


def test_what_follows_a_sentence_is_what_follows_its_last_token(our_model):
    model = our_model("llama")
    sentence = model.tokenizer.sentence("The cat sat")
    assert predict_tokens(model, sentence) == (
        predict_next_token(model, sentence, len(sentence.tokens) - 1),
    )


BASE = ["bert-base", "distilbert-base", "gpt2-base", "llama-base", "qwen2-base"]


@pytest.mark.parametrize("kind", BASE)
def test_a_checkpoint_without_a_word_head_guesses_nothing(our_model, kind):
    model = our_model(kind)
    sentence = model.tokenizer.sentence(f"The {model.tokenizer.mask_token or 'cat'} sat")
    with pytest.raises(
        CannotPredictError, match=f"{kind} guesses no words: its files have no word head"
    ):
        predict_tokens(model, sentence)


def test_a_model_that_fills_in_blanks_guesses_no_next_word(our_model):
    model = our_model("bert")
    with pytest.raises(CannotPredictError):
        predict_next_token(model, model.tokenizer.sentence("The cat"), 1)


@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3]), min_size=1, max_size=12), st.integers(1, 14))
def test_the_largest_come_first_and_of_equals_the_first(figures, top):
    expected = sorted(range(len(figures)), key=lambda place: -figures[place])[:top]
    assert top_k(np.array(figures), top) == expected


@pytest.mark.parametrize("kind", ["bert", "distilbert", "gpt2", "llama"])
def test_rows_that_stand_for_no_token_are_never_guessed(our_model, kind):
    model = our_model(kind)
    assert len(model.transformer.token_embedding) > model.tokenizer.vocabulary_size
    sentence = model.tokenizer.sentence(f"The {model.tokenizer.mask_token or 'cat'}")
    for blank in predict_tokens(model, sentence, top=len(model.transformer.token_embedding)):
        assert len(blank.guesses) == model.tokenizer.vocabulary_size
        assert all(guess.text != "None" for guess in blank.guesses)
