"""Put the words of a sentence into another order, the same one every time."""

from dataclasses import dataclass

import numpy as np

from app.models import Model, Sentence

SHUFFLE_SEED = 6


@dataclass(frozen=True)
class ShuffledSentence:
    """A sentence with its words in another order.

    `permutation[i]` is the original index of word i. Special tokens keep their places and are not
    part of it.
    """

    sentence: Sentence
    permutation: tuple[int, ...]


def shuffle_words(sentence: Sentence, model: Model) -> ShuffledSentence:
    """Return the words in an order drawn from a fixed seed, joined by spaces.

    The numbers of tokens and words stay the same. The order differs from the original one, unless
    no such order is found.
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
