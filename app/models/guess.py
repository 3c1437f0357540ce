"""Filling in the blank: the masked-word head, in NumPy."""

from dataclasses import dataclass

import numpy as np

from app.attention.core import softmax
from app.attention.intervene import NONE, Intervention
from app.attention.transformer import logits
from app.models.registry import Model
from app.models.tokens import Sentence

MASK = "[MASK]"


class NoBlankError(ValueError):
    def __init__(self) -> None:
        super().__init__(
            f"There is no {MASK} in this sentence. Write {MASK} in place of the word to be guessed."
        )


@dataclass(frozen=True)
class Guess:
    """A token and its probability; `is_piece` if it only continues a word."""

    text: str
    is_piece: bool
    probability: float


@dataclass(frozen=True)
class Blank:
    """A masked token, its index from 0, and the likeliest guesses, best first."""

    token: int
    guesses: tuple[Guess, ...]


def fill_in(
    model: Model, sentence: Sentence, *, top: int = 5, intervention: Intervention = NONE
) -> tuple[Blank, ...]:
    """The `top` guesses for each [MASK], by softmax over the whole vocabulary.

    Raises `NoBlankError` if nothing is masked, `ValueError` if the sentence is too long.
    """
    blanks = [index for index, token in enumerate(sentence.tokens) if token.text == MASK]
    if not blanks:
        raise NoBlankError
    hidden = model.read(sentence, intervention=intervention).hidden
    assert hidden is not None  # noqa: S101  # no last layer was named, so the pass went to its end
    probabilities = softmax(logits(model.transformer, hidden[blanks]))  # (n_blanks, vocabulary)
    return tuple(
        Blank(index, _best(model, row, top))
        for index, row in zip(blanks, probabilities, strict=True)
    )


def _best(model: Model, probabilities: np.ndarray, top: int) -> tuple[Guess, ...]:
    order = np.argsort(-probabilities, kind="stable")[:top].tolist()
    guesses = []
    for token_id in order:
        piece = model.tokenizer.token(token_id)
        text = piece.removeprefix("##")
        guesses.append(Guess(text, text != piece, float(probabilities[token_id])))
    return tuple(guesses)
