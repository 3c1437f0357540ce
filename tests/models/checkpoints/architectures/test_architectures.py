"""Every architecture compared with transformers, with random weights."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from app.attention import Intervention, forward, textbook
from app.attention.array_tree import arrays_of
from app.attention.transformer import logits
from app.models.checkpoints import read_checkpoint
from app.models.checkpoints.safetensors_reader import weight_files
from tests.models.checkpoints.tiny_checkpoints import KINDS, SENTENCES, save_checkpoint
from tests.models.checkpoints.transformers_reference import (
    load_reference,
    max_error,
    reference_outputs,
)

ATTENTION_TOLERANCE, HIDDEN_TOLERANCE = 1e-5, 3e-5
LARGE_WEIGHT_KINDS = [kind for kind in KINDS if kind.endswith("large-weights")]
ORDINARY_KINDS = [kind for kind in KINDS if kind not in LARGE_WEIGHT_KINDS]
CAUSAL_KINDS = ["gpt2", "llama", "mistral", "qwen2"]
ONE_OF_EACH_ARCHITECTURE = [
    "bert",
    "roberta",
    "distilbert",
    *CAUSAL_KINDS,
    "llama-narrow",
    "llama-biased",
]
LENGTHS = [1, 2, 7, "longest"]
TEXTS = SENTENCES[:2]
TOKEN_IDS = [5, 9, 2, 40, 7, 7, 3]

with_every_kind = pytest.mark.parametrize("kind", ORDINARY_KINDS)
with_every_architecture = pytest.mark.parametrize("kind", ONE_OF_EACH_ARCHITECTURE)
at_several_lengths = pytest.mark.parametrize("length_or_text", [*LENGTHS, *TEXTS])


def ids_of(model, length_or_text):
    """Return the ids of a text, or random ids; in RoBERTa, the padding token has no position."""
    if length_or_text in TEXTS:
        return model.tokenizer.sentence(length_or_text).ids
    n = model.card.max_tokens if length_or_text == "longest" else length_or_text
    first = 2 if model.card.architecture == "RoBERTa" else 0
    return np.random.default_rng(n).integers(first, model.card.vocabulary, n).tolist()


@pytest.fixture(scope="module")
def both_outputs(headwise_model, transformers_model):
    """Return the forward pass, and the outputs of transformers."""

    @cache
    def outputs(kind, length_or_text):
        model = headwise_model(kind)
        ids = ids_of(model, length_or_text)
        return forward(model.transformer, ids), reference_outputs(transformers_model(kind), ids)

    return outputs


@with_every_kind
@at_several_lengths
def test_every_map_of_every_layer_is_that_of_transformers(both_outputs, kind, length_or_text):
    actual, reference = both_outputs(kind, length_or_text)
    for weights, expected in zip(actual.weights, reference.weights, strict=True):
        assert max_error(weights, expected) <= ATTENTION_TOLERANCE


@with_every_kind
@at_several_lengths
def test_the_last_hidden_states_are_those_of_transformers(both_outputs, kind, length_or_text):
    actual, reference = both_outputs(kind, length_or_text)
    assert max_error(actual.hidden, reference.hidden) <= HIDDEN_TOLERANCE


@pytest.mark.parametrize(
    "kind", [kind for kind in ORDINARY_KINDS if KINDS[kind].predicts != "nothing"]
)
@at_several_lengths
def test_the_scores_of_words_are_those_of_transformers(both_outputs, kind, length_or_text):
    actual, reference = both_outputs(kind, length_or_text)
    assert max_error(logits(actual.model, actual.hidden), reference.logits) <= HIDDEN_TOLERANCE


@with_every_kind
def test_the_task_of_a_model_follows_from_its_head(headwise_model, kind):
    assert headwise_model(kind).card.predicts == KINDS[kind].predicts


@with_every_kind
@pytest.mark.parametrize("text", SENTENCES[2:5])
def test_the_tokens_are_those_of_transformers(checkpoint_folder, headwise_model, kind, text):
    reference_tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(checkpoint_folder(kind) / "tokenizer.json")
    )
    assert (
        headwise_model(kind).tokenizer.sentence(text).ids
        == reference_tokenizer(text, padding=False).input_ids
    )


@pytest.mark.parametrize("kind", LARGE_WEIGHT_KINDS)
def test_large_weights_lose_no_more_digits_than_in_transformers(
    checkpoint_folder, headwise_model, transformers_model, kind
):
    """Sharp maps lose digits in float32, so both are compared with float64."""
    model = headwise_model(kind)
    ids = ids_of(model, "longest")
    actual, reference = (
        forward(model.transformer, ids),
        reference_outputs(transformers_model(kind), ids),
    )
    exact = reference_outputs(load_reference(checkpoint_folder(kind), kind, torch.float64), ids)
    our_scores = logits(actual.model, actual.hidden)
    for actual_array, reference_array, exact_array in [
        *zip(actual.weights, reference.weights, exact.weights, strict=True),
        (actual.hidden, reference.hidden, exact.hidden),
        (our_scores, reference.logits, exact.logits),
    ]:
        assert max_error(actual_array, exact_array) <= max(
            4 * max_error(reference_array, exact_array), ATTENTION_TOLERANCE
        )


@with_every_architecture
def test_stopping_at_a_layer_gives_its_maps_and_none_after(headwise_model, kind):
    model = headwise_model(kind)
    ids = ids_of(model, 7)
    full_pass, stopped = (forward(model.transformer, ids, last_layer=last) for last in (None, 1))
    assert len(stopped.weights) == 2
    assert stopped.hidden is None
    for weights, expected in zip(stopped.weights, full_pass.weights, strict=False):
        np.testing.assert_array_equal(weights, expected)


@pytest.mark.parametrize("kind", CAUSAL_KINDS)
def test_a_causal_model_has_exactly_zero_weight_on_later_tokens(headwise_model, kind):
    model = headwise_model(kind)
    for weights in forward(model.transformer, ids_of(model, "longest")).weights:
        assert not np.triu(weights, k=1).any()


OUTPUT_PROJECTIONS = {"bert": "attention.output.dense", "roberta": "attention.output.dense"}
OUTPUT_PROJECTIONS |= {"distilbert": "out_lin", "gpt2": "attn.c_proj"}


def ablate_in_reference(reference_model, kind, layer, head):
    """Zero the rows of the output projection that belong to a head."""
    ending = OUTPUT_PROJECTIONS.get(kind, "self_attn.o_proj")
    projections = [
        module for name, module in reference_model.named_modules() if name.endswith(ending)
    ]
    weight = projections[layer].weight.data
    weight = weight if kind == "gpt2" else weight.T  # (n_heads * d_head, d_model)
    d_head = len(weight) // reference_model.config.num_attention_heads
    weight[head * d_head : (head + 1) * d_head] = 0


@with_every_architecture
def test_ablating_a_head_equals_zeroing_its_output_projection(
    checkpoint_folder, headwise_model, kind
):
    model, reference_model = headwise_model(kind), load_reference(checkpoint_folder(kind), kind)
    ablate_in_reference(reference_model, kind, 0, 1)
    ids = ids_of(model, 7)
    off = Intervention(ablated_heads=frozenset({(0, 1)}))
    actual, expected = (
        forward(model.transformer, ids, intervention=off),
        reference_outputs(reference_model, ids),
    )
    assert max_error(actual.hidden, expected.hidden) <= HIDDEN_TOLERANCE
    assert max_error(actual.weights[1], expected.weights[1]) <= ATTENTION_TOLERANCE


@with_every_architecture
def test_the_trace_of_a_layer_equals_the_textbook(headwise_model, kind):
    model = headwise_model(kind)
    actual = forward(model.transformer, ids_of(model, 7))
    for index, layer in enumerate(model.transformer.layers):
        trace = actual.trace(index)
        output, weights = textbook.multi_head_attention(trace.X, layer.attention, actual.mask)
        assert max_error(trace.weights, weights) <= ATTENTION_TOLERANCE
        assert max_error(trace.output, output) <= HIDDEN_TOLERANCE


@st.composite
def llama_sizes(draw):
    n_kv_heads, d_head = draw(st.integers(1, 3)), 2 * draw(st.integers(1, 8))
    n_heads = n_kv_heads * draw(st.integers(1, 4))
    rope_parameters = {
        "rope_type": "default",
        "rope_theta": draw(st.sampled_from([50.0, 1e4, 5e5, 1e6])),
    }
    return {
        "num_attention_heads": n_heads,
        "num_key_value_heads": n_kv_heads,
        "head_dim": d_head,
        "hidden_size": draw(st.integers(8, 12)) * n_heads,
        "intermediate_size": draw(st.integers(1, 40)),
        "num_hidden_layers": draw(st.integers(1, 4)),
        "rope_parameters": rope_parameters,
        "tie_word_embeddings": draw(st.booleans()),
        "attention_bias": draw(st.booleans()),
        "mlp_bias": draw(st.booleans()),
    }


@st.composite
def bert_sizes(draw):
    n_heads = draw(st.integers(1, 6))
    return {
        "num_attention_heads": n_heads,
        # Norms of few numbers may divide by almost 0, which multiplies rounding errors.
        "hidden_size": draw(st.integers(8, 12)) * n_heads,
        "intermediate_size": draw(st.integers(1, 40)),
        "num_hidden_layers": draw(st.integers(1, 4)),
        "max_position_embeddings": draw(st.integers(7, 200)),
        "type_vocab_size": draw(st.integers(1, 3)),
        "hidden_act": draw(st.sampled_from(["gelu", "gelu_new", "relu", "silu"])),
        "tie_word_embeddings": draw(st.booleans()),
    }


def check_against_transformers(kind, folder, seed, sizes):
    save_checkpoint(kind, folder, seed=seed, **sizes)
    model = read_checkpoint(folder)
    ids = ids_of(model, 7)
    actual, reference = (
        forward(model.transformer, ids),
        reference_outputs(load_reference(folder, kind), ids),
    )
    for weights, expected in zip(actual.weights, reference.weights, strict=True):
        assert max_error(weights, expected) <= ATTENTION_TOLERANCE
    assert max_error(actual.hidden, reference.hidden) <= HIDDEN_TOLERANCE
    assert max_error(logits(actual.model, actual.hidden), reference.logits) <= HIDDEN_TOLERANCE


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), sizes=llama_sizes())
def test_llama_agrees_at_any_size(tmp_path_factory, seed, sizes):
    check_against_transformers("llama", tmp_path_factory.mktemp("llama"), seed, sizes)


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), sizes=bert_sizes())
def test_bert_agrees_at_any_size(tmp_path_factory, seed, sizes):
    check_against_transformers("bert", tmp_path_factory.mktemp("bert"), seed, sizes)


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "gpt2", "llama", "qwen2"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_rounded_weights_give_what_transformers_computes_of_them_in_float32(tmp_path, kind, dtype):
    save_checkpoint(kind, tmp_path, dtype=dtype)
    model = read_checkpoint(tmp_path)
    actual, reference = (
        forward(model.transformer, TOKEN_IDS),
        reference_outputs(load_reference(tmp_path, kind, torch.float32), TOKEN_IDS),
    )
    for weights, expected in zip(actual.weights, reference.weights, strict=True):
        assert max_error(weights, expected) <= 1e-5
    assert max_error(logits(actual.model, actual.hidden), reference.logits) <= 3e-5


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama"])
def test_shards_hold_the_same_model_as_one_file(tmp_path, kind):
    single_file = read_checkpoint(save_checkpoint(kind, tmp_path / "whole"))
    sharded = read_checkpoint(save_checkpoint(kind, tmp_path / "parts", shard="20KB"))
    assert len(weight_files(sharded.folder)) > 2
    pairs = zip(arrays_of(sharded.transformer), arrays_of(single_file.transformer), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
