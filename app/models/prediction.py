"""Guesses: of hidden words, by models that fill in blanks, and of the next word, by causal ones."""

from dataclasses import dataclass

import numpy as np

from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.textbook import softmax
from app.attention.transformer import ForwardPass, logits
from app.attention.weights import Matrix
from app.models.model import Model
from app.models.tokenizer import Sentence


class NoMaskError(ValueError):
    def __init__(self, mask: str) -> None:
        super().__init__(
            f"There is no {mask} in this sentence. Write {mask} in place of the word to be guessed."
        )


class CannotPredictError(ValueError):
    """The model has no word head, or one for another kind of guess."""

    def __init__(self, model: Model) -> None:
        super().__init__(
            f"{model.card.id} guesses no words: its files have no word head, or its tokenizer no"
            " token for a hidden word."
        )


@dataclass(frozen=True)
class TokenProbability:
    """A token and its probability; `is_piece` if it only continues a word."""

    text: str
    is_piece: bool
    probability: float


@dataclass(frozen=True)
class TokenPrediction:
    """A token, its index from 0, and the likeliest guesses, best first: for itself if it is masked,
    for what comes after it if the model guesses the next word.
    """

    token: int
    guesses: tuple[TokenProbability, ...]


def fill_mask(
    model: Model, sentence: Sentence, *, top: int = 5, intervention: Intervention = NO_INTERVENTION
) -> tuple[TokenPrediction, ...]:
    """The `top` guesses for each masked token, by softmax over the whole vocabulary.

    Raises `CannotPredictError` if the model fills in no blanks, `NoMaskError` if nothing is masked,
    `ValueError` if the sentence is too long.
    """
    mask = model.tokenizer.mask_token
    if model.card.predicts != "hidden" or mask is None:
        raise CannotPredictError(model)
    mask_token_id = model.tokenizer.mask_token_id
    masked_indices = [
        index for index, token in enumerate(sentence.tokens) if token.id == mask_token_id
    ]
    if not masked_indices:
        raise NoMaskError(mask)
    return _predict_at(model, sentence, masked_indices, top, intervention)


def predict_next_token(
    model: Model,
    sentence: Sentence,
    after: int,
    *,
    top: int = 5,
    intervention: Intervention = NO_INTERVENTION,
) -> TokenPrediction:
    """The `top` guesses for what comes after token `after`, which the rest cannot influence.

    Raises `CannotPredictError` if the model does not guess the next word.
    """
    if model.card.predicts != "next":
        raise CannotPredictError(model)
    (prediction,) = _predict_at(model, sentence, [after], top, intervention)
    return prediction


def predict_tokens(
    model: Model, sentence: Sentence, *, top: int = 5, intervention: Intervention = NO_INTERVENTION
) -> tuple[TokenPrediction, ...]:
    """What the model can guess: every masked word, or the one that comes after the sentence.

    Raises `CannotPredictError`, `NoMaskError`.
    """
    if model.card.predicts != "next":
        return fill_mask(model, sentence, top=top, intervention=intervention)
    last = len(sentence.tokens) - 1
    return (predict_next_token(model, sentence, last, top=top, intervention=intervention),)


def _predict_at(
    model: Model, sentence: Sentence, indices: list[int], top: int, intervention: Intervention
) -> tuple[TokenPrediction, ...]:
    hidden = final_hidden(model.run(sentence, intervention=intervention))
    rows = most_probable_tokens(model, hidden[indices], top)
    return tuple(
        TokenPrediction(index, tokens) for index, tokens in zip(indices, rows, strict=True)
    )


def final_hidden(forward_pass: ForwardPass) -> Matrix:
    """Return the hidden states (n, d_model) of a pass that ran to the end."""
    assert forward_pass.hidden is not None  # noqa: S101
    return forward_pass.hidden


def most_probable_tokens(
    model: Model, hidden: Matrix, top: int
) -> list[tuple[TokenProbability, ...]]:
    """Return the `top` most probable tokens, best first, for each hidden state (k, d_model)."""
    probabilities = softmax(logits(model.transformer, hidden))  # (k, vocabulary)
    return [_most_probable(model, row, top) for row in probabilities]


def _most_probable(model: Model, probabilities: Matrix, top: int) -> tuple[TokenProbability, ...]:
    # A vocabulary may be padded with rows that stand for no token.
    in_vocabulary = probabilities[: model.tokenizer.vocabulary_size]
    return tuple(
        TokenProbability(*model.tokenizer.decode_token(token_id), float(in_vocabulary[token_id]))
        for token_id in top_k(in_vocabulary, top)
    )


def top_k(values: Matrix, k: int) -> list[int]:
    """The indices of the `k` largest, largest first, of equals the first."""
    # To sort thousands takes ten times as long.
    threshold = np.partition(values, -k)[-k] if k < len(values) else -np.inf
    candidates = np.flatnonzero(values >= threshold)
    order: list[int] = candidates[np.argsort(-values[candidates], kind="stable")[:k]].tolist()
    return order
