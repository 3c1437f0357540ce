from dataclasses import replace

import numpy as np
import pytest

from app.attention import Intervention, forward
from app.models.forward_cache import NO_FORWARD_CACHE


@pytest.fixture
def model(models):
    """A model without the cache that it shares with other tests: a cached pass may be deeper."""
    return replace(models["headwise-h4"], forward_cache=NO_FORWARD_CACHE)


@pytest.mark.parametrize("last_layer", [0, 1, None])
@pytest.mark.parametrize("causal", [True, False])
def test_a_run_is_the_forward_pass_over_the_tokens(model, last_layer, causal):
    sentence = model.tokenizer.sentence("The cat sat down")
    options = {"last_layer": last_layer, "intervention": Intervention(causal=causal)}
    actual = model.run(sentence, **options)
    expected = forward(model.transformer, sentence.ids, **options)
    for array, expected_array in zip(actual.arrays, expected.arrays, strict=True):
        assert np.array_equal(array, expected_array)


@pytest.mark.parametrize("text", ["", "cat " * 49])
def test_blank_and_too_long_sentences_are_refused(model, text):
    with pytest.raises(ValueError, match="the model takes 1 to 48"):
        model.run(model.tokenizer.sentence(text))


def test_an_untrained_copy_has_other_weights_and_the_same_files(model):
    copy = model.untrained_copy()
    assert copy.card.id == "headwise-h4-random"
    assert (copy.folder, copy.weights_sha256) == (model.folder, model.weights_sha256)
    shapes = [layer.attention.qkv.shape for layer in copy.transformer.layers]
    assert shapes == [layer.attention.qkv.shape for layer in model.transformer.layers]
    trained, untrained = (each.transformer.layers[0].attention.qkv for each in (model, copy))
    assert not np.allclose(trained, untrained)


def test_untrained_copies_of_different_seeds_have_different_weights(model):
    first, second, again = (
        model.untrained_copy(seed).transformer.token_embedding for seed in (1, 2, 1)
    )
    assert np.array_equal(first, again)
    assert not np.allclose(first, second)
