"""Predictions: what is true of the learner's own sentence, computed by the models."""

from collections.abc import Callable
from dataclasses import dataclass

from app.attention.measure import merge_pieces, top_keys
from app.models import Model, Sentence

FIELDS = ("word", "layer", "model", "n_heads", "n_words", "answer", "guess")
"""What a lesson's sentences may name in braces."""


@dataclass(frozen=True)
class Asked:
    """What a prediction is about: a word of a sentence, read by one layer of a model."""

    sentence: Sentence
    model: Model
    layer: int
    word: int


@dataclass(frozen=True)
class Pick:
    """A word, its index from 0, and the heads that read it most.

    `place` counts words from 1 and is given only where the same word stands elsewhere too.
    """

    word: str
    index: int
    place: int | None
    heads: tuple[int, ...]


@dataclass(frozen=True)
class Truth:
    """`answer` is one of `choices`; `picks` show how it came about."""

    answer: str
    choices: tuple[str, ...]
    picks: tuple[Pick, ...]


def distinct_top_words(asked: Asked) -> Truth:
    """How many different words the heads of a layer read most: `len(set(argmax A[:, i, :]))`.

    A word that stands twice in the sentence counts as two.
    """
    weights = asked.model.read(asked.sentence, last_layer=asked.layer).weights[asked.layer]
    tops = top_keys(merge_pieces(weights, asked.sentence.word_of), asked.word)
    words = asked.sentence.words
    picks = tuple(
        Pick(
            words[key].text,
            key,
            asked.sentence.place_if_repeated(key),
            tuple(head for head, top in enumerate(tops) if top == key),
        )
        for key in sorted(set(tops))
    )
    most = min(len(tops), len(words))
    return Truth(str(len(picks)), tuple(str(count + 1) for count in range(most)), picks)


TRUTHS: dict[str, Callable[[Asked], Truth]] = {"distinct_top_words": distinct_top_words}
