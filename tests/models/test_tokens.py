import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models import SentenceTokenizer
from app.models.family import FAMILY, tokenizer_file


@pytest.fixture(scope="module")
def tokenizer():
    return SentenceTokenizer(tokenizer_file(FAMILY))


anything = st.text(alphabet=st.characters(), max_size=80)


@given(anything)
def test_tokens_stand_in_the_text_in_order(tokenizer, text):
    sentence = tokenizer.sentence(text)
    for token in sentence.tokens:
        assert sentence.text[token.start : token.end] == token.text
        assert token.start < token.end
    starts = [token.start for token in sentence.tokens]
    assert starts == sorted(starts)


@given(anything)
def test_words_are_counted_without_gaps_and_hold_every_token_once(tokenizer, text):
    sentence = tokenizer.sentence(text)
    words = sentence.words
    assert [word.index for word in words] == list(range(len(words)))
    assert [piece for word in words for piece in word.pieces] == list(sentence.tokens)


@given(anything, st.integers(1, 12))
def test_the_start_of_a_long_text_is_short_enough_and_begins_the_text(tokenizer, text, most):
    sentence = tokenizer.sentence(text)
    start = sentence.start(most)
    assert sentence.text.startswith(start)
    if sentence.tokens:
        assert 1 <= len(tokenizer.sentence(start).tokens) <= max(most, 1)


def test_every_word_of_a_plain_sentence_is_a_token(tokenizer):
    sentence = tokenizer.sentence("The cat sat down")
    assert [token.text for token in sentence.tokens] == ["The", "cat", "sat", "down"]
    assert sentence.word_of == [0, 1, 2, 3]
    assert not any(word.is_split for word in sentence.words)


def test_pieces_are_grouped_under_their_word(tokenizer):
    words = tokenizer.sentence("a zyzzyva sat").words
    assert [word.text for word in words] == ["a", "zyzzyva", "sat"]
    assert "".join(piece.text for piece in words[1].pieces) == "zyzzyva"
    assert [word.is_split for word in words] == [False, True, False]


@pytest.mark.parametrize("apostrophe", ["'", "’"])
def test_a_contraction_is_one_word(tokenizer, apostrophe):
    words = tokenizer.sentence(f"I don{apostrophe}t, you know").words
    assert [word.text for word in words] == ["I", f"don{apostrophe}t", ",", "you", "know"]


def test_punctuation_is_a_word_of_its_own(tokenizer):
    assert [word.text for word in tokenizer.sentence("(Stop.)").words] == ["(", "Stop", ".", ")"]


@pytest.mark.parametrize("text", ["👩‍👩‍👧 sat", "雪 sat"])
def test_what_the_vocabulary_lacks_is_marked_unknown(tokenizer, text):
    first, *_, last = tokenizer.sentence(text).tokens
    assert not first.known
    assert last.known


@pytest.mark.parametrize("text", ["", "   ", "\x00", "\u202e\u200d", "\u0301", "\ufeff", "\n\t"])
def test_text_without_anything_to_read_has_no_tokens(tokenizer, text):
    assert tokenizer.sentence(text).tokens == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a \ud83d b", "a � b"), ("\udc00", "�"), ("\ud83d\ude00", "😀"), ("a\x00b", "a b")],
)
def test_what_is_no_character_becomes_one_that_pages_can_show(tokenizer, text, expected):
    assert tokenizer.sentence(text).text == expected
