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
from training.export import tensor_sources
from training.model import MaskedLanguageModel, ModelSizes


def fill_mask_predictions(models, text, n_heads=4, **options):
    model = models[f"headwise-h{n_heads}"]
    return fill_mask(model, model.tokenizer.sentence(text), **options)


@pytest.mark.parametrize("n_heads", [2, 4, 8])
def test_a_door_is_predicted(models, n_heads):
    (prediction,) = fill_mask_predictions(
        models, "She opened the [MASK] and went into the room.", n_heads
    )
    assert prediction.token == 3
    assert prediction.guesses[0].text == "door"


def test_every_mask_is_filled_with_the_most_probable_first(models):
    predictions = fill_mask_predictions(models, "[MASK] [MASK] the [MASK].", top=8)
    assert [prediction.token for prediction in predictions] == [0, 1, 3]
    for blank in predictions:
        probabilities = [guess.probability for guess in blank.guesses]
        assert probabilities == sorted(probabilities, reverse=True)
        assert len(probabilities) == 8


def test_probabilities_sum_to_one(models):
    (prediction,) = fill_mask_predictions(models, "The [MASK]", top=10_000)
    assert len(prediction.guesses) == 8192
    assert sum(guess.probability for guess in prediction.guesses) == pytest.approx(1, abs=1e-4)


def test_ablating_a_head_changes_the_prediction(models):
    text = "She opened the [MASK] and went into the room."
    off = Intervention(ablated_heads=frozenset({(0, 2)}))
    assert fill_mask_predictions(models, text) != fill_mask_predictions(
        models, text, intervention=off
    )


def test_without_a_mask_the_error_says_how_to_add_one(models):
    with pytest.raises(NoMaskError, match=r"Write \[MASK\]"):
        fill_mask_predictions(models, "The cat sat down")


@pytest.mark.parametrize("n_heads", [1, 2, 4, 8])
def test_torch_makes_the_same_predictions_from_the_shipped_weights(models, n_heads):
    model = models[f"headwise-h{n_heads}"]
    shipped = model.transformer
    reference_model = MaskedLanguageModel(ModelSizes(n_heads, model.card.vocabulary)).eval()
    state = reference_model.state_dict()
    for name, source in tensor_sources(model.card.n_layers).items():
        tensor = torch.from_numpy(np.ascontiguousarray(_shipped_array(shipped, name)))
        state[source.removesuffix(".T")] = tensor.T if source.endswith(".T") else tensor
    reference_model.load_state_dict(state)
    sentence = model.tokenizer.sentence("The [MASK] sat down and the dog [MASK] it.")
    ids = torch.tensor([sentence.ids])
    with torch.no_grad():
        probabilities = reference_model(ids, ids == 2).softmax(-1)
    for row, prediction in zip(probabilities, fill_mask(model, sentence, top=20), strict=True):
        top = row.sort(descending=True).values[:20].numpy()
        np.testing.assert_allclose([g.probability for g in prediction.guesses], top, atol=1e-4)


def _shipped_array(transformer, name):
    """Return the array into which a shipped tensor of this name was loaded."""
    names = {"attention.qkv.weight": "attention.qkv", "attention.qkv.bias": "attention.qkv_bias"}
    names |= {
        "attention.output.weight": "attention.output",
        "attention.output.bias": "attention.output_bias",
        "logits_bias": "lm_head.bias",
        "tokens": "token_embedding",
        "positions": "position_embedding",
    }
    value = transformer
    if name.startswith("layers."):
        _, index, name = name.split(".", 2)
        value = transformer.layers[int(index)]
    for part in names.get(name, name).split("."):
        value = getattr(value, part)
    return value


def reference_probabilities(transformers_model, model, ids, position):
    """Return the probabilities of transformers at a position, of tokens in the vocabulary."""
    kind = model.card.id
    with torch.no_grad():
        probabilities = (
            transformers_model(kind)(torch.tensor([ids])).logits[0, position].double().softmax(-1)
        )
    return probabilities[: model.tokenizer.vocabulary_size]


@pytest.mark.parametrize("kind", ["gpt2", "gpt2-wide", "llama", "llama-narrow", "mistral", "qwen2"])
@pytest.mark.parametrize("after", [0, 3, -1])
def test_next_token_predictions_equal_those_of_transformers(
    headwise_model, transformers_model, kind, after
):
    model = headwise_model(kind)
    sentence = model.tokenizer.sentence("The cat sat down because")
    after %= len(sentence.tokens)
    expected = reference_probabilities(transformers_model, model, sentence.ids, after).sort(
        descending=True
    )
    prediction = predict_next_token(model, sentence, after, top=20)
    assert prediction.token == after
    assert [g.probability for g in prediction.guesses] == pytest.approx(
        expected.values[:20].tolist(), rel=1e-5
    )
    names = [model.tokenizer.decode_token(token)[0] for token in expected.indices[:3].tolist()]
    assert [guess.text for guess in prediction.guesses[:3]] == names


@pytest.mark.parametrize("kind", ["bert", "bert-untied", "roberta", "roberta-relu", "distilbert"])
def test_mask_predictions_equal_those_of_transformers(headwise_model, transformers_model, kind):
    model = headwise_model(kind)
    mask = model.tokenizer.mask_token
    sentence = model.tokenizer.sentence(f"The {mask} sat down and the {mask} too")
    predictions = fill_mask(model, sentence, top=20)
    assert [sentence.tokens[prediction.token].text for prediction in predictions] == [mask, mask]
    for blank in predictions:
        expected = reference_probabilities(
            transformers_model, model, sentence.ids, blank.token
        ).sort(descending=True)
        probabilities = [guess.probability for guess in blank.guesses]
        assert probabilities == pytest.approx(expected.values[:20].tolist(), rel=1e-5)


def test_predicting_after_a_sentence_is_predicting_after_its_last_token(headwise_model):
    model = headwise_model("llama")
    sentence = model.tokenizer.sentence("The cat sat")
    assert predict_tokens(model, sentence) == (
        predict_next_token(model, sentence, len(sentence.tokens) - 1),
    )


KINDS_WITHOUT_LM_HEAD = ["bert-base", "distilbert-base", "gpt2-base", "llama-base", "qwen2-base"]


@pytest.mark.parametrize("kind", KINDS_WITHOUT_LM_HEAD)
def test_a_checkpoint_without_an_lm_head_cannot_predict(headwise_model, kind):
    model = headwise_model(kind)
    sentence = model.tokenizer.sentence(f"The {model.tokenizer.mask_token or 'cat'} sat")
    with pytest.raises(
        CannotPredictError, match=f"{kind} cannot predict words: its files have no word head"
    ):
        predict_tokens(model, sentence)


def test_a_masked_model_cannot_predict_the_next_token(headwise_model):
    model = headwise_model("bert")
    with pytest.raises(CannotPredictError):
        predict_next_token(model, model.tokenizer.sentence("The cat"), 1)


@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3]), min_size=1, max_size=12), st.integers(1, 14))
def test_top_k_sorts_by_size_and_then_by_index(values, k):
    expected = sorted(range(len(values)), key=lambda index: -values[index])[:k]
    assert top_k(np.array(values), k) == expected


@pytest.mark.parametrize("kind", ["bert", "distilbert", "gpt2", "llama"])
def test_embedding_rows_without_a_token_are_never_predicted(headwise_model, kind):
    model = headwise_model(kind)
    assert len(model.transformer.token_embedding) > model.tokenizer.vocabulary_size
    sentence = model.tokenizer.sentence(f"The {model.tokenizer.mask_token or 'cat'}")
    for prediction in predict_tokens(model, sentence, top=len(model.transformer.token_embedding)):
        assert len(prediction.guesses) == model.tokenizer.vocabulary_size
        assert all(guess.text != "None" for guess in prediction.guesses)
