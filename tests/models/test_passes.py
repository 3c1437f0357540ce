from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from app.attention import Intervention, forward
from app.models import Sentence
from app.models.forward_cache import NO_CACHE, ForwardCache

PLENTY = 10_000_000
TEXT = "The cat sat down."
OFF = Intervention(ablated_heads=frozenset({(0, 1)}))


@pytest.fixture
def kept():
    return ForwardCache(PLENTY)


@pytest.fixture
def model(our_model, kept):
    return replace(our_model("bert"), forward_cache=kept)


def same(one, other):
    pairs = zip(one.arrays, other.arrays, strict=True)
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)


def test_what_was_asked_for_once_is_the_same_object_again(model):
    sentence = model.tokenizer.sentence(TEXT)
    assert model.run(sentence) is model.run(model.tokenizer.sentence(TEXT))


@pytest.mark.parametrize("intervention", [Intervention(), OFF, Intervention(causal=True)])
@pytest.mark.parametrize("text", [TEXT, "The dog sat down."])
def test_a_pass_is_kept_for_its_own_text_and_changes_alone(model, text, intervention):
    model.run(model.tokenizer.sentence(TEXT), intervention=Intervention(scaled=False))
    model.run(model.tokenizer.sentence("The"), intervention=intervention)
    sentence = model.tokenizer.sentence(text)
    found = model.run(sentence, intervention=intervention)
    assert same(found, forward(model.transformer, sentence.ids, intervention=intervention))


def test_a_pass_is_kept_for_its_own_model_alone(model, our_model, kept):
    other = replace(our_model("bert-relu"), forward_cache=kept)
    for each in (model, other, model):
        sentence = each.tokenizer.sentence(TEXT)
        assert same(each.run(sentence), forward(each.transformer, sentence.ids))


def test_a_twin_is_not_taken_for_its_model(model):
    sentence = model.tokenizer.sentence(TEXT)
    assert not same(model.run(sentence), model.untrained_copy().run(sentence))


@pytest.mark.parametrize("order", [(0, 1, None), (1, 0, 2), (None, 0), (2, None, 1)], ids=str)
def test_a_pass_that_stopped_early_never_stands_for_a_deeper_one(model, order):
    sentence = model.tokenizer.sentence(TEXT)
    whole = forward(model.transformer, sentence.ids)
    for last in order:
        found = model.run(sentence, last_layer=last)
        assert len(found.weights) >= (len(whole.weights) if last is None else last + 1)
        assert (found.hidden is not None) or last is not None
        for weights, expected in zip(found.weights, whole.weights, strict=False):
            assert np.array_equal(weights, expected)


def test_a_shallower_pass_that_comes_late_does_not_replace_a_deeper_one(model, kept):
    sentence = model.tokenizer.sentence(TEXT)
    key = model.card.id, sentence.text, Intervention()
    deep, shallow = (forward(model.transformer, sentence.ids, last_layer=n) for n in (None, 0))
    kept.put(key, deep)
    kept.put(key, shallow)
    assert kept.get(key, None) is deep


def test_what_is_kept_stays_below_its_bytes_and_the_oldest_goes_first(our_model):
    model = our_model("bert")
    sentences = [model.tokenizer.sentence(" ".join(["cat"] * n)) for n in range(1, 12)]
    passes = [forward(model.transformer, sentence.ids) for sentence in sentences]
    kept = ForwardCache(sum(each.nbytes for each in passes[-3:]))
    for sentence, each in zip(sentences, passes, strict=True):
        kept.put(("m", sentence.text, Intervention()), each)
        assert kept.n_bytes <= sum(each.nbytes for each in passes[-3:])
    there = [kept.get(("m", each.text, Intervention()), None) for each in sentences]
    assert there[-3:] == passes[-3:]
    assert set(there[:-3]) == {None}


def test_a_pass_larger_than_all_the_room_is_not_kept_and_takes_nothing_away(our_model):
    model = our_model("bert")
    small, large = (
        forward(model.transformer, model.tokenizer.sentence(text).ids) for text in ("a", TEXT)
    )
    kept = ForwardCache(small.nbytes)
    kept.put(("m", "a", Intervention()), small)
    kept.put(("m", TEXT, Intervention()), large)
    assert kept.get(("m", "a", Intervention()), None) is small
    assert kept.get(("m", TEXT, Intervention()), None) is None


def test_without_room_nothing_is_kept(our_model):
    model = our_model("bert")
    sentence = model.tokenizer.sentence(TEXT)
    assert model.forward_cache is NO_CACHE
    assert model.run(sentence) is not model.run(sentence)
    assert NO_CACHE.n_bytes == 0


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama"])
@pytest.mark.parametrize("last", [0, None])
def test_no_number_of_a_kept_pass_can_be_written_over(our_model, kept, kind, last):
    model = replace(our_model(kind), forward_cache=kept)
    found = model.run(model.tokenizer.sentence(TEXT), last_layer=last)
    for array in (*found.attention_inputs, *found.weights, *([] if last == 0 else [found.hidden])):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_several_threads_get_what_one_would(our_model):
    """A cache so small that every thread drops what another has just kept."""
    model = our_model("bert")
    sentences = [model.tokenizer.sentence(" ".join(["cat"] * n)) for n in range(1, 9)]
    expected = [forward(model.transformer, sentence.ids) for sentence in sentences]
    crowded = replace(model, forward_cache=ForwardCache(3 * expected[-1].nbytes))

    def asks(number):
        at, last = number % len(sentences), (None, 0, 1)[number % 3]
        found = crowded.run(sentences[at], last_layer=last)
        depth = len(expected[at].weights) if last is None else last + 1
        pairs = list(zip(found.weights, expected[at].weights, strict=False))
        return len(pairs) >= depth and all(np.array_equal(one, other) for one, other in pairs)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(asks, range(300)))
    assert crowded.forward_cache.n_bytes <= 3 * expected[-1].nbytes


def test_one_text_in_other_tokens_is_another_pass(models):
    kept = ForwardCache(10_000_000)
    model = replace(models["headwise-h4"], forward_cache=kept)
    whole = model.tokenizer.sentence("cat sat down")
    other = Sentence(whole.text, whole.tokens[:2])
    assert model.run(other).weights[0].shape == (4, 2, 2)
    assert model.run(whole).weights[0].shape == (4, 3, 3)
