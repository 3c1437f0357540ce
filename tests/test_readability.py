"""Measuring readability: known counts of sentences and syllables, and a known grade."""

import pytest

from tests.readability import flesch_kincaid_grade, sentences, syllables, words

SYLLABLES = {
    1: "a the cat sat down made changed reads gives heads rows weights these one have strengths",
    2: "every table little query value matrix only number numbers places relates"
    " asking masses houses being column layer softmax wanted added careful people useless"
    " subject",
    3: "attention relations multiply different projection together average idea area radio"
    " possible another quality",
    4: "parameters information operator computation hypothesis dictionary",
    5: "specialisation university",
}


@pytest.mark.parametrize(
    ("word", "expected"),
    [(word, count) for count, text in SYLLABLES.items() for word in text.split()],
)
def test_syllables_are_counted_as_a_dictionary_does(word, expected):
    assert syllables(word) == expected


def test_parts_of_a_compound_add_up():
    assert syllables("multi-head") == 3
    assert syllables("word’s") == 1


@pytest.mark.parametrize("symbol", ["8", "√d", "→", "0.9", "65,536"])
def test_numbers_and_symbols_count_as_one_syllable(symbol):
    assert syllables(symbol) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("It gives .9 of its weight, and 1.5 more.", ["It gives .9 of its weight, and 1.5 more."]),
        ("He asks: “Who sat?” Nobody knows.", ["He asks:", "“Who sat?", "Nobody knows."]),
        ("A list: cats and dogs.", ["A list: cats and dogs."]),
        ("Clark et al. 2019 found it.", ["Clark et al 2019 found it."]),
        ("It is above 0. The total is 1.", ["It is above 0.", "The total is 1."]),
        ("… – …", []),
    ],
)
def test_sentences_end_where_a_reader_stops(text, expected):
    assert sentences(text) == expected


def test_a_word_has_a_letter_or_a_digit():
    assert words("sat → “cat” (who sat?) – 8") == ["sat", "“cat”", "(who", "sat?)", "8"]


def test_the_grade_follows_the_formula():
    text = "The cat sat down. It reads another word."
    # 8 words, 2 sentences, 10 syllables
    assert flesch_kincaid_grade([text]) == pytest.approx(0.39 * 4 + 11.8 * 10 / 8 - 15.59)


def test_longer_words_and_sentences_raise_the_grade():
    easy = ["The cat sat down. It was old."]
    long_words = ["The animal deliberated. It was venerable."]
    long_sentence = ["The cat sat down and it was old and it was also very fat and slow."]
    assert flesch_kincaid_grade(easy) < flesch_kincaid_grade(long_words)
    assert flesch_kincaid_grade(easy) < flesch_kincaid_grade(long_sentence)
