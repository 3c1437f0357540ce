import pytest

from training.corpus import is_prose, split_sentences


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("He came. She went.", ["He came.", "She went."]),
        ("Mr. Smith met Dr. J. Brown. They spoke.", ["Mr. Smith met Dr. J. Brown.", "They spoke."]),
        ('"Stop!" he said. "Why?" Nobody knew.', ['"Stop!" he said.', '"Why?"', "Nobody knew."]),
        ("It was I. You knew.", ["It was I.", "You knew."]),
        ("No end", ["No end"]),
        ("_Very_  odd   spacing.", ["Very odd spacing."]),
        ("", []),
    ],
)
def test_paragraphs_are_split_where_sentences_end(paragraph, expected):
    assert list(split_sentences(paragraph)) == expected


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [("He came home.", True), ("CHAPTER IV", False), ("* * *", False), ("1 2 3 4 5 a", False)],
)
def test_headings_and_rules_are_not_prose(sentence, verdict):
    assert is_prose(sentence) is verdict
