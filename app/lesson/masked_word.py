"""The chosen word behind a mask, and what models guess there."""

from dataclasses import dataclass, replace

import numpy as np

from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.textbook import softmax
from app.attention.transformer import logits
from app.attention.weights import Matrix
from app.evaluation.registry import EvaluatedRegistry
from app.lesson.selection import HasSelection, Selection
from app.models import Card, Model, Sentence
from app.models.prediction import (
    TokenProbability,
    final_hidden,
    most_probable,
    most_probable_tokens,
)


@dataclass(frozen=True)
class MaskedWord:
    """A sentence with one word behind a mask: `token` is the index of that mask."""

    sentence: Sentence
    token: int


@dataclass(frozen=True)
class HiddenWord:
    """The chosen word, hidden from Headwise's own models.

    `target_id` is the token that is hidden, None if no guess can be right: see `why_no_guess`.
    """

    masked: MaskedWord
    target_id: int | None


@dataclass(frozen=True)
class WordGuess:
    """What one model guesses at a hidden word.

    rank: the place of the hidden word among all guesses, 1 for the best; None if it has no place.
    probability: the probability of the hidden word.
    top_tokens: the best guesses, most probable first.
    """

    card: Card
    rank: int | None
    probability: float | None
    top_tokens: tuple[TokenProbability, ...]


def masked_text(sentence: Sentence, word: int, model: Model) -> str:
    """Return the text with the model's mask in place of a word. The model has a mask token."""
    pieces, text = sentence.words[word].pieces, sentence.text
    return f"{text[: pieces[0].start]}{model.tokenizer.mask_token}{text[pieces[-1].end :]}"


def mask_word(sentence: Sentence, word: int, model: Model) -> MaskedWord:
    """Put the model's mask in place of a word of the text; other words may be masked too."""
    start = sentence.words[word].pieces[0].start
    masked = model.tokenizer.sentence(masked_text(sentence, word, model))
    return MaskedWord(
        masked,
        next(
            index
            for index, token in enumerate(masked.tokens)
            if token.id == model.tokenizer.mask_token_id and token.start == start
        ),
    )


def guessing_models(models: EvaluatedRegistry) -> list[Model]:
    """Return the models that Headwise has trained, which all guess masked words."""
    return models.of_kind("trained")


def why_no_guess(chosen: HasSelection, models: EvaluatedRegistry) -> str | None:
    """Return why Headwise's own models cannot be compared by the chosen word, None if they can.

    "special": the word is a token that the chosen model adds. "too_long": the sentence is too long
    for the models. "alone": there is no other word to guess from. "masked": the word is a mask.
    "unknown", "split": the word is no single token of the vocabulary, but none or several.
    """
    if chosen.sentence.words[chosen.word].is_special:
        return "special"
    model = guessing_models(models)[0]
    sentence = _read_by(model, chosen)
    if chosen.word >= len(sentence.words) or len(sentence.tokens) > model.card.max_tokens:
        return "too_long"
    if len(sentence.words) == 1:
        return "alone"
    pieces = sentence.words[chosen.word].pieces
    if any(piece.id == model.tokenizer.mask_token_id for piece in pieces):
        return "masked"
    is_known = all(piece.known for piece in pieces)
    return None if is_known and len(pieces) == 1 else "split" if is_known else "unknown"


def hidden_text(chosen: HasSelection, models: EvaluatedRegistry) -> str | None:
    """Return the sentence without the chosen word, None if the models cannot read it."""
    if why_no_guess(chosen, models) in _UNREADABLE:
        return None
    model = guessing_models(models)[0]
    return masked_text(_read_by(model, chosen), chosen.word, model)


def hidden_word(chosen: HasSelection, models: EvaluatedRegistry) -> HiddenWord | None:
    """Return the chosen word hidden from Headwise's own models, None if they cannot read it."""
    cause = why_no_guess(chosen, models)
    if cause in _UNREADABLE:
        return None
    model = guessing_models(models)[0]
    sentence = _read_by(model, chosen)
    target_id = None if cause else sentence.words[chosen.word].pieces[0].id
    return HiddenWord(mask_word(sentence, chosen.word, model), target_id)


_UNREADABLE = ("special", "too_long")
"""Causes of `why_no_guess` for which there is no sentence to guess in."""


def _read_by(model: Model, chosen: HasSelection) -> Sentence:
    """Return the chosen sentence in the tokens of a model."""
    if model.tokenizer.same_tokens_as(chosen.model.tokenizer):
        return chosen.sentence
    return model.tokenizer.sentence(chosen.sentence.text)


def guess_word(chosen: HasSelection, hidden: HiddenWord, model: Model, top: int) -> WordGuess:
    """Return what one of Headwise's own models guesses at the hidden word."""
    selection = replace(chosen.selection.with_model(model), sentence=hidden.masked.sentence, word=0)
    hidden_state = final_hidden(selection.run())[[hidden.masked.token]]  # (1, d_model)
    (probabilities,) = softmax(logits(model.transformer, hidden_state))  # (vocabulary,)
    top_tokens = most_probable(model, probabilities, top)
    if hidden.target_id is None:
        return WordGuess(model.card, None, None, top_tokens)
    probability = probabilities[hidden.target_id]
    rank = 1 + int(np.count_nonzero(probabilities > probability))
    return WordGuess(model.card, rank, float(probability), top_tokens)


def top_tokens(
    selection: Selection, token: int, intervention: Intervention = NO_INTERVENTION, *, top: int
) -> tuple[TokenProbability, ...]:
    """Return the most probable tokens, best first, from the hidden state at `token`."""
    hidden: Matrix = final_hidden(selection.run(intervention=intervention))
    (tokens,) = most_probable_tokens(selection.model, hidden[[token]], top)
    return tokens
