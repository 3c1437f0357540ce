"""The words that heads read most, and the names of words: shared by several predictions."""

import numpy as np

from app.attention.metrics import word_row
from app.attention.weights import Matrix
from app.lesson.predictions.question import TIE_TOLERANCE, PredictionInput
from app.models import Sentence


def word_rows(weights: Matrix, inputs: PredictionInput) -> Matrix:
    """Return what the chosen word reads of each word: (n_heads, n, n) -> (n_heads, n_words)."""
    return word_row(weights, inputs.sentence.word_of, inputs.word)


def top_words(row: Matrix) -> tuple[int, ...]:
    """Return the words of a row (n_words,) within `TIE_TOLERANCE` of the largest weight."""
    return tuple(np.flatnonzero(row >= row.max() - TIE_TOLERANCE).tolist())


def word_name(sentence: Sentence, word: int) -> str:
    """Return the text of a word; if the sentence repeats it, its place from 1 follows."""
    text, place = sentence.words[word].text, sentence.ordinal_if_repeated(word)
    return text if place is None else f"{text} ({place})"


def readable_words(inputs: PredictionInput) -> list[int]:
    """Return the words that the chosen word can read: all, or those up to it if causal."""
    word_of = inputs.sentence.word_of
    if not inputs.model.card.causal:
        return sorted(set(word_of))
    last_token = max(token for token, word in enumerate(word_of) if word == inputs.word)
    return sorted(set(word_of[: last_token + 1]))


def unanswerable_cause(inputs: PredictionInput) -> str | None:
    """Return why comparing the top words of heads makes no sense, None if it does.

    "one_word": there is no other word to read. "first_word": a causal model reads nothing but the
    first word itself. "one_head": the layer has one head.
    """
    if len(inputs.sentence.content_words) == 1:
        return "one_word"
    if len(readable_words(inputs)) == 1:
        return "first_word"
    return "one_head" if inputs.model.card.n_heads == 1 else None
