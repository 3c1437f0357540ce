from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from app.attention import Intervention, forward
from app.models import Sentence
from app.models.forward_cache import NO_FORWARD_CACHE, ForwardCache

CACHE_BYTES = 10_000_000
TEXT = "The cat sat down."
ABLATION = Intervention(ablated_heads=frozenset({(0, 1)}))


@pytest.fixture
def cache():
    return ForwardCache(CACHE_BYTES)


@pytest.fixture
def model(headwise_model, cache):
    return replace(headwise_model("bert"), forward_cache=cache)


def same_arrays(first, second):
    pairs = zip(first.arrays, second.arrays, strict=True)
    return all(np.array_equal(first_array, second_array) for first_array, second_array in pairs)


def test_a_repeated_request_returns_the_same_object(model):
    sentence = model.tokenizer.sentence(TEXT)
    assert model.run(sentence) is model.run(model.tokenizer.sentence(TEXT))


@pytest.mark.parametrize("intervention", [Intervention(), ABLATION, Intervention(causal=True)])
@pytest.mark.parametrize("text", [TEXT, "The dog sat down."])
def test_a_pass_is_cached_by_text_and_intervention(model, text, intervention):
    model.run(model.tokenizer.sentence(TEXT), intervention=Intervention(scaled=False))
    model.run(model.tokenizer.sentence("The"), intervention=intervention)
    sentence = model.tokenizer.sentence(text)
    forward_pass = model.run(sentence, intervention=intervention)
    assert same_arrays(
        forward_pass, forward(model.transformer, sentence.ids, intervention=intervention)
    )


def test_a_pass_is_cached_by_model(model, headwise_model, cache):
    other = replace(headwise_model("bert-relu"), forward_cache=cache)
    for each in (model, other, model):
        sentence = each.tokenizer.sentence(TEXT)
        assert same_arrays(each.run(sentence), forward(each.transformer, sentence.ids))


def test_an_untrained_copy_does_not_share_cached_passes(model):
    sentence = model.tokenizer.sentence(TEXT)
    assert not same_arrays(model.run(sentence), model.untrained_copy().run(sentence))


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama"])
@pytest.mark.parametrize("order", [(0, 1, None), (1, 0, 2), (None, 0), (2, None, 1)], ids=str)
@pytest.mark.parametrize("intervention", [Intervention(), ABLATION], ids=["", "ablated"])
def test_a_cached_pass_is_extended_to_the_pass_computed_at_once(
    headwise_model, cache, kind, order, intervention
):
    model = replace(headwise_model(kind), forward_cache=cache)
    sentence = model.tokenizer.sentence(TEXT)
    for last in order:
        forward_pass = model.run(sentence, last_layer=last, intervention=intervention)
        reached = None if forward_pass.hidden is not None else len(forward_pass.weights) - 1
        assert reached is None or (last is not None and reached >= last)
        expected = forward(
            model.transformer, sentence.ids, last_layer=reached, intervention=intervention
        )
        assert same_arrays(forward_pass, expected)


def test_passes_of_a_memo_are_extended_without_a_cache(headwise_model, monkeypatch):
    model, memo = headwise_model("gpt2"), {}
    sentence = model.tokenizer.sentence(TEXT)
    model.run(sentence, last_layer=0, memo=memo)
    monkeypatch.setattr("app.models.model.forward", None)
    extended = model.run(sentence, memo=memo)
    assert same_arrays(extended, forward(model.transformer, sentence.ids))
    assert model.run(sentence, last_layer=1, memo=memo) is extended


def test_a_shallower_pass_does_not_replace_a_deeper_one(model, cache):
    sentence = model.tokenizer.sentence(TEXT)
    key = model.card.id, sentence.text, Intervention()
    deep, shallow = (forward(model.transformer, sentence.ids, last_layer=n) for n in (None, 0))
    cache.put(key, deep)
    cache.put(key, shallow)
    assert cache.get(key) is deep


def test_the_cache_is_bounded_and_evicts_the_oldest_first(headwise_model):
    model = headwise_model("bert")
    sentences = [model.tokenizer.sentence(" ".join(["cat"] * n)) for n in range(1, 12)]
    passes = [forward(model.transformer, sentence.ids) for sentence in sentences]
    cache = ForwardCache(sum(each.nbytes for each in passes[-3:]))
    for sentence, each in zip(sentences, passes, strict=True):
        cache.put(("m", sentence.text, Intervention()), each)
        assert cache.n_bytes <= sum(each.nbytes for each in passes[-3:])
    cached = [cache.get(("m", each.text, Intervention())) for each in sentences]
    assert cached[-3:] == passes[-3:]
    assert set(cached[:-3]) == {None}


def test_a_pass_larger_than_the_cache_is_not_cached_and_evicts_nothing(headwise_model):
    model = headwise_model("bert")
    small, large = (
        forward(model.transformer, model.tokenizer.sentence(text).ids) for text in ("a", TEXT)
    )
    cache = ForwardCache(small.nbytes)
    cache.put(("m", "a", Intervention()), small)
    cache.put(("m", TEXT, Intervention()), large)
    assert cache.get(("m", "a", Intervention())) is small
    assert cache.get(("m", TEXT, Intervention())) is None


def test_without_capacity_nothing_is_cached(headwise_model):
    model = headwise_model("bert")
    sentence = model.tokenizer.sentence(TEXT)
    assert model.forward_cache is NO_FORWARD_CACHE
    assert model.run(sentence) is not model.run(sentence)
    assert NO_FORWARD_CACHE.n_bytes == 0


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama"])
@pytest.mark.parametrize("last", [0, None])
def test_arrays_of_a_cached_pass_are_read_only(headwise_model, cache, kind, last):
    model = replace(headwise_model(kind), forward_cache=cache)
    forward_pass = model.run(model.tokenizer.sentence(TEXT), last_layer=last)
    for array in (
        *forward_pass.attention_inputs,
        *forward_pass.weights,
        *([] if last == 0 else [forward_pass.hidden]),
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_the_cache_is_thread_safe(headwise_model):
    """The cache is so small that threads evict the passes of other threads."""
    model = headwise_model("bert")
    sentences = [model.tokenizer.sentence(" ".join(["cat"] * n)) for n in range(1, 9)]
    expected = [forward(model.transformer, sentence.ids) for sentence in sentences]
    crowded = replace(model, forward_cache=ForwardCache(3 * expected[-1].nbytes))

    def check_run(number):
        at, last = number % len(sentences), (None, 0, 1)[number % 3]
        forward_pass = crowded.run(sentences[at], last_layer=last)
        depth = len(expected[at].weights) if last is None else last + 1
        pairs = list(zip(forward_pass.weights, expected[at].weights, strict=False))
        return len(pairs) >= depth and all(np.array_equal(one, other) for one, other in pairs)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(check_run, range(300)))
    assert crowded.forward_cache.n_bytes <= 3 * expected[-1].nbytes


def test_the_same_text_in_other_tokens_is_another_pass(models):
    cache = ForwardCache(10_000_000)
    model = replace(models["headwise-h4"], forward_cache=cache)
    full_pass = model.tokenizer.sentence("cat sat down")
    other = Sentence(full_pass.text, full_pass.tokens[:2])
    assert model.run(other).weights[0].shape == (4, 2, 2)
    assert model.run(full_pass).weights[0].shape == (4, 3, 3)
