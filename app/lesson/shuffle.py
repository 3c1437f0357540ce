"""A sentence with its words in another order, the same one every time."""

import numpy as np

from app.models import Model, Sentence

SEED = 6


def shuffled(sentence: Sentence, model: Model) -> Sentence:
    """The words in an order drawn from a fixed seed, joined by spaces, as as many tokens; not the
    order they had, unless there is no other.
    """
    texts = [word.text for word in sentence.words]
    rng = np.random.default_rng(SEED)
    for _ in range(20):
        order = [texts[index] for index in rng.permutation(len(texts))]
        moved = model.tokenizer.sentence(" ".join(order))
        if order != texts and len(moved.tokens) == len(sentence.tokens):
            return moved
    return sentence
