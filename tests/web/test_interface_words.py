"""The words of pages and labs: short sentences, for readers who are not native speakers."""

import re

import pytest

from tests.language import MAX_SENTENCE, paragraphs
from tests.pages import LESSON, PAGES, STEP_PATHS
from tests.readability import sentences, words

_NO_PROSE = re.compile(r"<(script|style|svg|select|pre|textarea)\b.*?</\1>", re.DOTALL)
STATES = (
    "reveal=1",
    "reveal=1&open=change",
    "reveal=1&open=explain&cell=1.0",
    "reveal=1&open=compare&minus=headwise-h1.0",
    "reveal=1&open=files",
    "text=H%C3%A4user+trophy",
)
FACTS_OF_OTHERS = ("Trained on 355 public-domain books",)
"""Starts of sentences that are copied from a model's card."""


def long_sentences(page):
    """Return the sentences of a page with too many words."""
    return [
        sentence
        for paragraph in paragraphs(_NO_PROSE.sub("", page))
        for sentence in sentences(paragraph)
        if len(words(sentence)) > MAX_SENTENCE and not sentence.startswith(FACTS_OF_OTHERS)
    ]


@pytest.mark.parametrize("url", [*PAGES, f"{LESSON}/1/handout?answers=1"])
def test_no_sentence_of_a_page_is_long(client, url):
    assert long_sentences(client.get(url).text) == []


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("path", STEP_PATHS)
def test_no_sentence_of_a_lab_is_long(client, path, state):
    assert long_sentences(client.get(f"{path}?{state}").text) == []


def test_a_long_sentence_is_found_and_code_is_not_prose():
    long = "word " * MAX_SENTENCE + "word."
    assert long_sentences(f"<p>{long}</p>") == [long]
    assert long_sentences(f"<pre>{long}</pre><p>Short.</p>") == []
