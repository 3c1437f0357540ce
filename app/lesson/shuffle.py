"""A sentence with its words in another order, the same one every time."""

from dataclasses import dataclass

import numpy as np

from app.models import Model, Sentence

SEED = 6


@dataclass(frozen=True)
class Shuffled:
    """A sentence with its words in another order: `order` tells each one's place before, but for
    special tokens, which stay where they are.
    """

    sentence: Sentence
    order: tuple[int, ...]


def shuffled(sentence: Sentence, model: Model) -> Shuffled:
    """The words in an order drawn from a fixed seed, joined by spaces, as as many tokens; not the
    order they had, unless there is no other.
    """
    texts = [word.text for word in sentence.plain_words]
    rng = np.random.default_rng(SEED)
    for _ in range(20):
        order = tuple(rng.permutation(len(texts)).tolist())
        words = [texts[index] for index in order]
        moved = model.tokenizer.sentence(" ".join(words))
        if words != texts and _sizes(moved) == (len(sentence.tokens), len(texts)):
            return Shuffled(moved, order)
    return Shuffled(sentence, tuple(range(len(texts))))


def _sizes(sentence: Sentence) -> tuple[int, int]:
    return len(sentence.tokens), len(sentence.plain_words)
