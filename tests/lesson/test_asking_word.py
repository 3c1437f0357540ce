import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson.asking_word import longest_word, same_word, word_after_edit
from tests.lesson.ordinary_sentences import ORDINARY_SENTENCES


@pytest.fixture
def sentence(models):
    return models["headwise-h4"].tokenizer.sentence


def word_text(sentence, index):
    return sentence.words[index].text


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("My dog chased it", "chased"),
        ("Birds sing at dawn", "Birds"),
        ("The cat ran", "ran"),
        ("Stop", "Stop"),
        ("a ...... cat", "cat"),
        ("...", "."),
        ("I saw unbelievably green zyzzyvas", "unbelievably"),
        ("don't go", "don't"),
    ],
)
def test_the_longest_word_asks_the_last_of_several(sentence, text, word):
    tokens = sentence(text)
    assert word_text(tokens, longest_word(tokens)) == word


def test_in_ordinary_sentences_the_longest_word_is_the_first_only_if_no_other_is_as_long(sentence):
    for each in ORDINARY_SENTENCES:
        tokens = sentence(each.text)
        first, *others = (len(word.text) for word in tokens.words)
        assert (longest_word(tokens) == 0) == (first > max(others))


def test_a_special_token_never_asks(checkpoint_models):
    tokens = checkpoint_models["bert"].tokenizer.sentence("a cat")
    assert not tokens.words[longest_word(tokens)].is_special


@given(st.text(min_size=1, max_size=40))
def test_every_sentence_has_a_longest_word(models, text):
    tokens = models["headwise-h4"].tokenizer.sentence(text)
    if not tokens.is_blank:
        longest = tokens.words[longest_word(tokens)]
        letters = [sum(letter.isalnum() for letter in word.text) for word in tokens.words]
        assert letters[longest.index] == max(letters)


@pytest.mark.parametrize(
    ("before", "word", "after", "place"),
    [
        ("The cat sat", 1, "A cat sat", 1),
        ("The cat sat", 1, "The old cat sat", 2),
        ("the cat saw the dog", 3, "The cat saw the dog", 3),
        ("The cat saw the dog", 0, "So the cat saw the dog", 1),
        ("The cat saw the dog", 3, "So the cat saw the dog", 4),
        ("The cat sat", 1, "The dog sat", None),
        ("The cat sat", 9, "The cat sat", None),
        ("", 0, "The cat sat", None),
    ],
)
def test_the_same_word_is_found_by_its_text_nearest_to_its_place(
    sentence, before, word, after, place
):
    assert same_word(sentence(before), word, sentence(after)) == place


def typed(sentence, keys, asking="longest"):
    """Return the text of the word that asks after each of the texts that a learner types."""
    previous, word = sentence(keys[0]), None
    word = longest_word(previous) if asking == "longest" else asking
    for text in keys[1:]:
        following = sentence(text)
        word = word_after_edit(previous, word, following, longest_word(following))
        previous = following
    return word_text(previous, word)


@pytest.mark.parametrize("text", ["My dog chased it", "Birds sing beautifully", "a cat sat down"])
def test_typing_letter_by_letter_ends_with_the_longest_word(sentence, text):
    letters = [text[: end + 1] for end in range(len(text))]
    tokens = sentence(text)
    assert typed(sentence, letters) == word_text(tokens, longest_word(tokens))
    assert typed(sentence, ["The cat sat down", *letters]) == typed(sentence, letters)


def test_a_word_that_was_chosen_goes_on_asking_while_the_sentence_grows(sentence):
    keys = ["My dog", "My dog c", "My dog chased", "My dog chased it"]
    assert typed(sentence, keys, asking=0) == "My"


def test_the_longest_word_goes_on_asking_if_another_word_is_replaced_by_a_longer_one(sentence):
    assert typed(sentence, ["My dog chased it", "My grandmother chased it"]) == "chased"
    assert typed(sentence, ["My dog chased it", "My dog saw it"]) == "saw"
