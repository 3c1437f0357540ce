"""A sentence with its words in another order, the same one every time."""

from dataclasses import dataclass

import numpy as np

from app.models import Model, Sentence

SHUFFLE_SEED = 6


@dataclass(frozen=True)
class ShuffledSentence:
    """A sentence with its words in another order: `permutation` tells each one's place before, but
    for special tokens, which stay where they are.
    """

    sentence: Sentence
    permutation: tuple[int, ...]


def shuffle_words(sentence: Sentence, model: Model) -> ShuffledSentence:
    """The words in an order drawn from a fixed seed, joined by spaces, as as many tokens; not the
    order they had, unless there is no other.
    """
    texts = [word.text for word in sentence.content_words]
    rng = np.random.default_rng(SHUFFLE_SEED)
    for _ in range(20):
        permutation = tuple(rng.permutation(len(texts)).tolist())
        words = [texts[index] for index in permutation]
        candidate = model.tokenizer.sentence(" ".join(words))
        if words != texts and _token_and_word_counts(candidate) == (
            len(sentence.tokens),
            len(texts),
        ):
            return ShuffledSentence(candidate, permutation)
    return ShuffledSentence(sentence, tuple(range(len(texts))))


def _token_and_word_counts(sentence: Sentence) -> tuple[int, int]:
    return len(sentence.tokens), len(sentence.content_words)
