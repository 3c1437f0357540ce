import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from app.models import SentenceTokenizer
from app.models.builtin import BUILTIN_FOLDER, tokenizer_file
from app.models.tokenizer import _CONTRACTION, SPACE_SYMBOL


@pytest.fixture(scope="module")
def tokenizer():
    return SentenceTokenizer(tokenizer_file(BUILTIN_FOLDER))


SIMPLE_WORD_PATTERN = r"[^\W_]+(?:['’][^\W_]+)+"
"""A simple pattern of the same words, which takes time quadratic in the length of a word."""

any_text = st.text(alphabet=st.characters(), max_size=80)


@given(any_text)
def test_tokens_are_in_text_order(tokenizer, text):
    sentence = tokenizer.sentence(text)
    for token in sentence.tokens:
        assert sentence.text[token.start : token.end] == token.text
        assert token.start < token.end
    starts = [token.start for token in sentence.tokens]
    assert starts == sorted(starts)


@given(any_text)
def test_words_are_counted_without_gaps_and_hold_every_token_once(tokenizer, text):
    sentence = tokenizer.sentence(text)
    words = sentence.words
    assert [word.index for word in words] == list(range(len(words)))
    assert [piece for word in words for piece in word.pieces] == list(sentence.tokens)


@given(any_text, st.integers(1, 12))
def test_a_truncated_text_is_short_enough_and_a_prefix(tokenizer, text, max_tokens):
    sentence = tokenizer.sentence(text)
    start = sentence.truncated_text(max_tokens)
    assert sentence.text.startswith(start)
    if sentence.tokens:
        assert 1 <= len(tokenizer.sentence(start).tokens) <= max_tokens


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
def test_text_outside_the_vocabulary_is_marked_unknown(tokenizer, text):
    first, *_, last = tokenizer.sentence(text).tokens
    assert not first.known
    assert last.known


@pytest.mark.parametrize("text", ["", "   ", "\x00", "\u202e\u200d", "\u0301", "\ufeff", "\n\t"])
def test_text_without_readable_characters_has_no_tokens(tokenizer, text):
    assert tokenizer.sentence(text).tokens == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a \ud83d b", "a � b"), ("\udc00", "�"), ("\ud83d\ude00", "😀"), ("a\x00b", "a b")],
)
def test_invalid_characters_are_replaced(tokenizer, text, expected):
    assert tokenizer.sentence(text).text == expected


CHECKPOINTS = ["bert", "roberta", "gpt2", "llama"]
"""Checkpoints with WordPiece, byte-level BPE with and without special tokens, SentencePiece."""

with_every_tokenizer = pytest.mark.parametrize("kind", CHECKPOINTS)
any_or_ordinary_text = any_text | st.text("The cat's sat, 😀é 3.5  ", max_size=40)


@with_every_tokenizer
@given(text=any_or_ordinary_text)
def test_content_tokens_of_a_checkpoint_are_in_text_order(headwise_model, kind, text):
    sentence = headwise_model(kind).tokenizer.sentence(text)
    content_tokens = [sentence.tokens[index] for index in sentence.content_indices]
    for token in content_tokens:
        token_text = sentence.text[token.start : token.end]
        assert token.text == (token_text if token_text.strip() else SPACE_SYMBOL)
    starts = [token.start for token in content_tokens]
    assert starts == sorted(starts)


@with_every_tokenizer
@given(text=any_or_ordinary_text)
def test_words_of_a_checkpoint_are_counted_without_gaps_and_special_ones_last(
    headwise_model, kind, text
):
    words = headwise_model(kind).tokenizer.sentence(text).words
    assert [word.index for word in words] == list(range(len(words)))
    special = [word.is_special for word in words]
    assert special == sorted(special)


@with_every_tokenizer
@given(text=any_or_ordinary_text)
def test_the_ids_of_a_checkpoint_are_those_of_its_tokenizer(headwise_model, kind, text):
    tokenizer = headwise_model(kind).tokenizer
    sentence = tokenizer.sentence(text)
    reference_tokenizer = Tokenizer.from_file(str(headwise_model(kind).folder / "tokenizer.json"))
    reference_tokenizer.no_padding()
    reference_tokenizer.no_truncation()
    assert sentence.ids == reference_tokenizer.encode(sentence.text).ids
    assert max(sentence.ids, default=0) < tokenizer.vocabulary_size


@with_every_tokenizer
@given(text=any_or_ordinary_text, max_tokens=st.integers(8, 20))
def test_a_truncated_sentence_is_short_enough_with_special_tokens(
    headwise_model, kind, text, max_tokens
):
    tokenizer = headwise_model(kind).tokenizer
    sentence = tokenizer.sentence(text)
    start = sentence.truncated_text(max_tokens)
    assert sentence.text.startswith(start)
    assert len(tokenizer.sentence(start).tokens) <= max_tokens


@pytest.mark.parametrize(
    ("kind", "specials"),
    [
        ("bert", {0: "[CLS]", -1: "[SEP]"}),
        ("roberta", {0: "<s>", -1: "</s>"}),
        ("gpt2", {}),
        ("llama", {0: "<s>"}),
    ],
)
def test_special_tokens_are_marked_and_have_the_last_word_indices(headwise_model, kind, specials):
    sentence = headwise_model(kind).tokenizer.sentence("The cat sat")
    assert {sentence.tokens[index].text for index in specials} == set(specials.values())
    assert sentence.n_special_tokens == len(specials)
    assert [sentence.tokens[index].word for index in specials] == [3, 4][: len(specials)]
    assert [word.text for word in sentence.content_words] == ["The", "cat", "sat"]


@with_every_tokenizer
@pytest.mark.parametrize("text", ["", "\n"])
def test_text_without_characters_is_blank_and_has_no_words_of_its_own(headwise_model, kind, text):
    tokenizer = headwise_model(kind).tokenizer
    assert tokenizer.sentence(text).is_blank
    assert all(word.text == SPACE_SYMBOL for word in tokenizer.sentence(text).content_words)
    assert not tokenizer.sentence("a").is_blank


WORDS = {
    "The cat sat down, didn't it?": "The cat sat down , didn't it ?",
    "It cost $3.50 …": "It cost $ 3 . 50 …",
    "  She said: “no”  (twice)": "She said : “ no ” ( twice )",
    "It is 😀 and naïve": "It is 😀 and naïve",
    "a-b c/d e@f #1 100%": "a - b c / d e @ f # 1 100 %",
}


@with_every_tokenizer
@pytest.mark.parametrize("text", WORDS)
def test_words_are_the_same_whatever_the_vocabulary(headwise_model, kind, text):
    words = headwise_model(kind).tokenizer.sentence(text).content_words
    assert [word.text for word in words] == WORDS[text].split()


def test_a_token_that_spans_two_words_belongs_to_the_first(headwise_model, tmp_path):
    tokenizer_json = json.loads(
        (headwise_model("gpt2").folder / "tokenizer.json").read_text("utf-8")
    )
    tokenizer_json["added_tokens"].append(
        tokenizer_json["added_tokens"][0] | {"id": 400, "content": "?!"}
    )
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer_json), "utf-8")
    words = SentenceTokenizer(tmp_path / "tokenizer.json").sentence("cat?! cat").words
    assert [word.text for word in words] == ["cat", "?!", "cat"]


@pytest.mark.parametrize("kind", ["roberta", "gpt2", "llama"])
def test_a_character_of_several_tokens_is_shown_on_each_and_is_one_word(headwise_model, kind):
    sentence = headwise_model(kind).tokenizer.sentence("The 😀 sat")
    pieces = [piece for piece in sentence.words[1].pieces if piece.text != SPACE_SYMBOL]
    assert [piece.text for piece in pieces] == ["😀"] * 4


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_space_token_belongs_to_the_next_word_and_is_shown_as_a_symbol(headwise_model, kind):
    sentence = headwise_model(kind).tokenizer.sentence("The   cat")
    spaces = [token for token in sentence.tokens if token.text == SPACE_SYMBOL]
    assert spaces
    assert {token.word for token in spaces} == {1}
    assert sentence.words[1].text == "cat"


def test_a_sentence_is_not_truncated_within_a_character(headwise_model):
    sentence = headwise_model("gpt2").tokenizer.sentence("😀😀😀")
    assert [sentence.truncated_text(n) for n in (4, 5, 7, 8)] == ["😀", "😀", "😀", "😀😀"]


def test_a_failure_of_the_tokenizer_is_a_value_error(headwise_model, tmp_path):
    tokenizer_json = json.loads(
        (headwise_model("bert").folder / "tokenizer.json").read_text("utf-8")
    )
    tokenizer_json["pre_tokenizer"] = {"type": "FixedLength", "length": 0}
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer_json), "utf-8")
    tokenizer = SentenceTokenizer(tmp_path / "tokenizer.json")
    with pytest.raises(ValueError, match="the tokenizer cannot split this text"):
        tokenizer.sentence("a")


def test_a_run_of_thousands_of_letters_is_one_word(tokenizer):
    assert [word.text for word in tokenizer.sentence("a" * 32_000).words] == ["a" * 32_000]


@given(st.text(alphabet="aé雪_'’ 1.", max_size=30))
def test_words_are_joined_as_by_the_simple_pattern(text):
    expected = [match.span() for match in re.finditer(SIMPLE_WORD_PATTERN, text)]
    assert [match.span() for match in _CONTRACTION.finditer(text)] == expected


@pytest.mark.parametrize(("text", "expected"), [("a\ufffeb", "a b"), ("\uffff", " ")])
def test_characters_not_allowed_in_xml_become_spaces(tokenizer, text, expected):
    assert tokenizer.sentence(text).text == expected
