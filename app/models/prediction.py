"""Predict masked tokens with encoders, and the next token with causal models."""

from dataclasses import dataclass

import numpy as np

from app.attention.forward_pass import ForwardPass
from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.textbook import softmax
from app.attention.transformer import logits
from app.attention.weights import Matrix
from app.models.model import Model
from app.models.tokenizer import Sentence


class NoMaskError(ValueError):
    """A sentence has no mask token."""

    def __init__(self, mask: str) -> None:
        super().__init__(
            f"There is no {mask} in this sentence. Write {mask} in place of the word to predict."
        )


class CannotPredictError(ValueError):
    """A model has no LM head, or one for another objective."""

    def __init__(self, model: Model) -> None:
        super().__init__(
            f"{model.card.id} cannot predict words: its files have no word head, or its tokenizer"
            " has no mask token."
        )


@dataclass(frozen=True)
class TokenProbability:
    """A token and its probability; `is_piece` if it continues a word."""

    text: str
    is_piece: bool
    probability: float


@dataclass(frozen=True)
class TokenPrediction:
    """The most probable tokens at one position, most probable first.

    `token` is the index of a masked token, or of the token whose successor is predicted.
    """

    token: int
    guesses: tuple[TokenProbability, ...]


def fill_mask(
    model: Model, sentence: Sentence, *, top: int = 5, intervention: Intervention = NO_INTERVENTION
) -> tuple[TokenPrediction, ...]:
    """Return the `top` most probable tokens for each masked token.

    Raises `CannotPredictError` if the model does not predict masked tokens, `NoMaskError` if the
    sentence has none, `ValueError` if it is too long.
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
    """Return the `top` most probable successors of token `after`.

    A causal model computes them from the tokens up to `after`, whatever follows in the sentence.
    Raises `CannotPredictError` if the model does not predict the next token.
    """
    if model.card.predicts != "next":
        raise CannotPredictError(model)
    (prediction,) = _predict_at(model, sentence, [after], top, intervention)
    return prediction


def predict_tokens(
    model: Model, sentence: Sentence, *, top: int = 5, intervention: Intervention = NO_INTERVENTION
) -> tuple[TokenPrediction, ...]:
    """Return predictions for every masked token, or for the successor of the last token.

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
    return [most_probable(model, row, top) for row in probabilities]


def most_probable(model: Model, probabilities: Matrix, top: int) -> tuple[TokenProbability, ...]:
    """Return the `top` most probable tokens, best first, of probabilities (vocabulary,)."""
    # The embedding may have more rows than the tokenizer has tokens.
    in_vocabulary = probabilities[: model.tokenizer.vocabulary_size]
    return tuple(
        TokenProbability(*model.tokenizer.decode_token(token_id), float(in_vocabulary[token_id]))
        for token_id in top_k(in_vocabulary, top)
    )


def top_k(values: Matrix, k: int) -> list[int]:
    """Return the indices of the `k` largest values, largest first; equal values by index."""
    # Sorting a whole vocabulary takes ten times as long.
    threshold = np.partition(values, -k)[-k] if k < len(values) else -np.inf
    candidates = np.flatnonzero(values >= threshold)
    order: list[int] = candidates[np.argsort(-values[candidates], kind="stable")[:k]].tolist()
    return order
