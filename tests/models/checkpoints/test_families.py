"""Every family against transformers' own numbers, at random weights."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from app.attention import Intervention, forward, textbook
from app.attention.transformer import logits
from app.models.checkpoints import read_checkpoint
from tests.models.checkpoints.theirs import largest_error, loaded, outcome
from tests.models.checkpoints.tiny import KINDS, SENTENCES, save

ATTENTION, HIDDEN = 1e-5, 3e-5
LARGE = [kind for kind in KINDS if kind.endswith("large-weights")]
KINDS_AT_EASE = [kind for kind in KINDS if kind not in LARGE]
CAUSAL = ["gpt2", "llama", "mistral", "qwen2"]
ONE_EACH = ["bert", "roberta", "distilbert", *CAUSAL, "llama-narrow", "llama-biased"]
LENGTHS = [1, 2, 7, "longest"]
TEXTS = SENTENCES[:2]

of_every_kind = pytest.mark.parametrize("kind", KINDS_AT_EASE)
of_one_each = pytest.mark.parametrize("kind", ONE_EACH)
at_several_lengths = pytest.mark.parametrize("asked", [*LENGTHS, *TEXTS])


def ids_of(model, asked):
    """A sentence's ids, or as many random ones; RoBERTa would take its padding for none."""
    if asked in TEXTS:
        return model.tokenizer.sentence(asked).ids
    n = model.card.max_tokens if asked == "longest" else asked
    first = 2 if model.card.architecture == "RoBERTa" else 0
    return np.random.default_rng(n).integers(first, model.card.vocabulary, n).tolist()


@pytest.fixture(scope="module")
def both(our_model, their_model):
    """Our pass and their outcome."""

    @cache
    def answers(kind, asked):
        model = our_model(kind)
        ids = ids_of(model, asked)
        return forward(model.transformer, ids), outcome(their_model(kind), ids)

    return answers


@of_every_kind
@at_several_lengths
def test_every_map_of_every_layer_is_that_of_transformers(both, kind, asked):
    ours, theirs = both(kind, asked)
    for weights, expected in zip(ours.weights, theirs.weights, strict=True):
        assert largest_error(weights, expected) <= ATTENTION


@of_every_kind
@at_several_lengths
def test_the_last_hidden_states_are_those_of_transformers(both, kind, asked):
    ours, theirs = both(kind, asked)
    assert largest_error(ours.hidden, theirs.hidden) <= HIDDEN


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS_AT_EASE if KINDS[kind].guesses != "nothing"]
)
@at_several_lengths
def test_the_scores_of_words_are_those_of_transformers(both, kind, asked):
    ours, theirs = both(kind, asked)
    assert largest_error(logits(ours.model, ours.hidden), theirs.logits) <= HIDDEN


@of_every_kind
def test_what_a_model_can_guess_follows_from_its_head(our_model, kind):
    assert our_model(kind).card.predicts == KINDS[kind].guesses


@of_every_kind
@pytest.mark.parametrize("text", SENTENCES[2:5])
def test_the_tokens_are_those_of_transformers(checkpoint, our_model, kind, text):
    theirs = PreTrainedTokenizerFast(tokenizer_file=str(checkpoint(kind) / "tokenizer.json"))
    assert our_model(kind).tokenizer.sentence(text).ids == theirs(text, padding=False).input_ids


@pytest.mark.parametrize("kind", LARGE)
def test_large_weights_lose_no_more_digits_than_in_transformers(
    checkpoint, our_model, their_model, kind
):
    """Both are held to float64: their sharp maps and our own are each as good as float32 allows."""
    model = our_model(kind)
    ids = ids_of(model, "longest")
    ours, theirs = forward(model.transformer, ids), outcome(their_model(kind), ids)
    exact = outcome(loaded(checkpoint(kind), kind, torch.float64), ids)
    our_scores = logits(ours.model, ours.hidden)
    for mine, other, true in [
        *zip(ours.weights, theirs.weights, exact.weights, strict=True),
        (ours.hidden, theirs.hidden, exact.hidden),
        (our_scores, theirs.logits, exact.logits),
    ]:
        assert largest_error(mine, true) <= max(4 * largest_error(other, true), ATTENTION)


@of_one_each
def test_stopping_at_a_layer_gives_its_maps_and_none_after(our_model, kind):
    model = our_model(kind)
    ids = ids_of(model, 7)
    whole, stopped = (forward(model.transformer, ids, last_layer=last) for last in (None, 1))
    assert len(stopped.weights) == 2
    assert stopped.hidden is None
    for weights, expected in zip(stopped.weights, whole.weights, strict=False):
        np.testing.assert_array_equal(weights, expected)


@pytest.mark.parametrize("kind", CAUSAL)
def test_a_causal_model_reads_exactly_nothing_of_what_follows(our_model, kind):
    model = our_model(kind)
    for weights in forward(model.transformer, ids_of(model, "longest")).weights:
        assert not np.triu(weights, k=1).any()


MIXED_BY = {"bert": "attention.output.dense", "roberta": "attention.output.dense"}
MIXED_BY |= {"distilbert": "out_lin", "gpt2": "attn.c_proj"}


def switch_off(theirs, kind, layer, head):
    """Zeros where the output projection reads that head."""
    ending = MIXED_BY.get(kind, "self_attn.o_proj")
    mixes = [part for name, part in theirs.named_modules() if name.endswith(ending)]
    weight = mixes[layer].weight.data
    weight = weight if kind == "gpt2" else weight.T  # (n_heads * d_head, d_model)
    d_head = len(weight) // theirs.config.num_attention_heads
    weight[head * d_head : (head + 1) * d_head] = 0


@of_one_each
def test_a_head_that_is_off_is_one_that_the_output_projection_does_not_read(
    checkpoint, our_model, kind
):
    model, theirs = our_model(kind), loaded(checkpoint(kind), kind)
    switch_off(theirs, kind, 0, 1)
    ids = ids_of(model, 7)
    off = Intervention(ablated_heads=frozenset({(0, 1)}))
    ours, expected = forward(model.transformer, ids, intervention=off), outcome(theirs, ids)
    assert largest_error(ours.hidden, expected.hidden) <= HIDDEN
    assert largest_error(ours.weights[1], expected.weights[1]) <= ATTENTION


@of_one_each
def test_the_trace_of_a_layer_is_the_textbooks(our_model, kind):
    model = our_model(kind)
    ours = forward(model.transformer, ids_of(model, 7))
    for index, layer in enumerate(model.transformer.layers):
        trace = ours.trace(index)
        output, weights = textbook.multi_head_attention(trace.X, layer.attention, ours.mask)
        assert largest_error(trace.weights, weights) <= ATTENTION
        assert largest_error(trace.output, output) <= HIDDEN


@st.composite
def like_llama(draw):
    n_kv_heads, d_head = draw(st.integers(1, 3)), 2 * draw(st.integers(1, 8))
    n_heads = n_kv_heads * draw(st.integers(1, 4))
    turns = {"rope_type": "default", "rope_theta": draw(st.sampled_from([50.0, 1e4, 5e5, 1e6]))}
    return {
        "num_attention_heads": n_heads,
        "num_key_value_heads": n_kv_heads,
        "head_dim": d_head,
        "hidden_size": draw(st.integers(8, 12)) * n_heads,
        "intermediate_size": draw(st.integers(1, 40)),
        "num_hidden_layers": draw(st.integers(1, 4)),
        "rope_parameters": turns,
        "tie_word_embeddings": draw(st.booleans()),
        "attention_bias": draw(st.booleans()),
        "mlp_bias": draw(st.booleans()),
    }


@st.composite
def like_bert(draw):
    n_heads = draw(st.integers(1, 6))
    return {
        "num_attention_heads": n_heads,
        # Norms of a few numbers may divide by next to nothing, and so multiply what rounding left.
        "hidden_size": draw(st.integers(8, 12)) * n_heads,
        "intermediate_size": draw(st.integers(1, 40)),
        "num_hidden_layers": draw(st.integers(1, 4)),
        "max_position_embeddings": draw(st.integers(7, 200)),
        "type_vocab_size": draw(st.integers(1, 3)),
        "hidden_act": draw(st.sampled_from(["gelu", "gelu_new", "relu", "silu"])),
        "tie_word_embeddings": draw(st.booleans()),
    }


def check_like_transformers(kind, folder, seed, sizes):
    save(kind, folder, seed=seed, **sizes)
    model = read_checkpoint(folder)
    ids = ids_of(model, 7)
    ours, theirs = forward(model.transformer, ids), outcome(loaded(folder, kind), ids)
    for weights, expected in zip(ours.weights, theirs.weights, strict=True):
        assert largest_error(weights, expected) <= ATTENTION
    assert largest_error(ours.hidden, theirs.hidden) <= HIDDEN
    assert largest_error(logits(ours.model, ours.hidden), theirs.logits) <= HIDDEN


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), sizes=like_llama())
def test_whatever_the_sizes_what_is_like_llama_agrees(tmp_path_factory, seed, sizes):
    check_like_transformers("llama", tmp_path_factory.mktemp("llama"), seed, sizes)


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), sizes=like_bert())
def test_whatever_the_sizes_what_is_like_bert_agrees(tmp_path_factory, seed, sizes):
    check_like_transformers("bert", tmp_path_factory.mktemp("bert"), seed, sizes)
