import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson.shuffle import shuffle_words


@pytest.mark.parametrize("text", ["cat", "cat cat cat"])
def test_words_that_cannot_be_reordered_stay(models, text):
    model = models["headwise-h1"]
    result = shuffle_words(model.tokenizer.sentence(text), model)
    assert result.sentence.text == text
    assert result.permutation == tuple(range(len(text.split())))


@given(st.permutations(["one", "two", "three", "four"]))
def test_shuffling_changes_the_order_and_is_the_same_every_time(models, order):
    model = models["headwise-h1"]
    sentence = model.tokenizer.sentence(" ".join(order))
    result = shuffle_words(sentence, model)
    assert result.sentence.text != sentence.text
    assert result == shuffle_words(sentence, model)
    assert result.sentence.text.split() == [order[place] for place in result.permutation]


@given(st.lists(st.sampled_from(["a", "cat", "zyzzyva", "don't", ","]), min_size=2, max_size=8))
def test_shuffling_keeps_the_numbers_of_tokens_and_words(models, words):
    model = models["headwise-h1"]
    sentence = model.tokenizer.sentence(" ".join(words))
    result = shuffle_words(sentence, model)
    assert len(result.sentence.tokens) == len(sentence.tokens)
    assert sorted(word.text for word in result.sentence.words) == sorted(
        word.text for word in sentence.words
    )
    assert sorted(result.permutation) == list(range(len(sentence.words)))
