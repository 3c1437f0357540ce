"""Guesses: of hidden words, by models that fill in blanks, and of the next word, by causal ones."""

from dataclasses import dataclass

import numpy as np

from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.textbook import softmax
from app.attention.transformer import logits
from app.attention.weights import Matrix
from app.models.registry import Model
from app.models.tokenizer import Sentence


class NoBlankError(ValueError):
    def __init__(self, mask: str) -> None:
        super().__init__(
            f"There is no {mask} in this sentence. Write {mask} in place of the word to be guessed."
        )


class NoGuessError(ValueError):
    """The model has no word head, or one for another kind of guess."""

    def __init__(self, model: Model) -> None:
        super().__init__(
            f"{model.card.id} guesses no words: its files have no word head, or its tokenizer no"
            " token for a hidden word."
        )


@dataclass(frozen=True)
class Guess:
    """A token and its probability; `is_piece` if it only continues a word."""

    text: str
    is_piece: bool
    probability: float


@dataclass(frozen=True)
class Blank:
    """A token, its index from 0, and the likeliest guesses, best first: for itself if it is masked,
    for what comes after it if the model guesses the next word.
    """

    token: int
    guesses: tuple[Guess, ...]


def fill_in(
    model: Model, sentence: Sentence, *, top: int = 5, intervention: Intervention = NO_INTERVENTION
) -> tuple[Blank, ...]:
    """The `top` guesses for each masked token, by softmax over the whole vocabulary.

    Raises `NoGuessError` if the model fills in no blanks, `NoBlankError` if nothing is masked,
    `ValueError` if the sentence is too long.
    """
    mask = model.tokenizer.mask
    if model.card.guesses != "hidden" or mask is None:
        raise NoGuessError(model)
    masked = model.tokenizer.mask_id
    blanks = [index for index, token in enumerate(sentence.tokens) if token.id == masked]
    if not blanks:
        raise NoBlankError(mask)
    return _guessed(model, sentence, blanks, top, intervention)


def next_word(
    model: Model,
    sentence: Sentence,
    after: int,
    *,
    top: int = 5,
    intervention: Intervention = NO_INTERVENTION,
) -> Blank:
    """The `top` guesses for what comes after token `after`, which the rest cannot influence.

    Raises `NoGuessError` if the model does not guess the next word.
    """
    if model.card.guesses != "next":
        raise NoGuessError(model)
    (blank,) = _guessed(model, sentence, [after], top, intervention)
    return blank


def guessed(
    model: Model, sentence: Sentence, *, top: int = 5, intervention: Intervention = NO_INTERVENTION
) -> tuple[Blank, ...]:
    """What the model can guess: every masked word, or the one that comes after the sentence.

    Raises `NoGuessError`, `NoBlankError`.
    """
    if model.card.guesses != "next":
        return fill_in(model, sentence, top=top, intervention=intervention)
    last = len(sentence.tokens) - 1
    return (next_word(model, sentence, last, top=top, intervention=intervention),)


def _guessed(
    model: Model, sentence: Sentence, at: list[int], top: int, intervention: Intervention
) -> tuple[Blank, ...]:
    hidden = model.read(sentence, intervention=intervention).hidden
    assert hidden is not None  # noqa: S101  # no last layer was named, so the pass went to its end
    probabilities = softmax(logits(model.transformer, hidden[at]))  # (n_blanks, vocabulary)
    return tuple(
        Blank(index, _best(model, row, top)) for index, row in zip(at, probabilities, strict=True)
    )


def _best(model: Model, probabilities: Matrix, top: int) -> tuple[Guess, ...]:
    # A vocabulary may be padded with rows that stand for no token.
    named = probabilities[: model.tokenizer.n_ids]
    return tuple(
        Guess(*model.tokenizer.guess(token_id), float(named[token_id]))
        for token_id in largest(named, top)
    )


def largest(figures: Matrix, top: int) -> list[int]:
    """The places of the `top` largest, largest first, of equals the first."""
    # To sort thousands takes ten times as long.
    least = np.partition(figures, -top)[-top] if top < len(figures) else -np.inf
    places = np.flatnonzero(figures >= least)
    order: list[int] = places[np.argsort(-figures[places], kind="stable")[:top]].tolist()
    return order
