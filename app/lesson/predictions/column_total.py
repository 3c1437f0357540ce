"""Prediction: what does the column of the chosen word add up to, whose row adds up to 1?"""

from collections.abc import Iterator

import numpy as np

from app.attention.weights import Matrix
from app.lesson.predictions.question import (
    Answer,
    AnswerChoice,
    Mark,
    PredictionInput,
    PredictionType,
    Question,
    Reason,
)
from app.models import Sentence
from app.picture import format_weight

ABOUT_ONE = (0.75, 1.25)
"""Totals from the first to the second are about 1; the total is rounded to two decimals first."""

CHOICES = tuple(AnswerChoice(name, {"value": name}) for name in ("less", "about", "more"))


def ask(inputs: PredictionInput) -> Question:
    """Ask about the column of the word's first token, whose text is the value `column`."""
    values = {"column": inputs.sentence.tokens[first_token(inputs)].text}
    if len(inputs.sentence.content_words) == 1:
        return Question((), values, "one_word")
    return Question(CHOICES, values)


def answer(inputs: PredictionInput) -> Answer:
    weights = inputs.weights()[inputs.head].astype(np.float64)  # (n, n)
    token = first_token(inputs)
    total = round(float(weights[:, token].sum()), 2)
    right = "less" if total < ABOUT_ONE[0] else "more" if total > ABOUT_ONE[1] else "about"
    return Answer(
        (right,),
        {"total": f"{total:.2f}"},
        tuple(_reasons(inputs, weights[:, token], token, right)),
        (Mark("column", inputs.head, column=token, model=inputs.model.card.id),),
    )


def first_token(inputs: PredictionInput) -> int:
    """Return the index of the first token of the chosen word."""
    return inputs.sentence.word_of.index(inputs.word)


def token_name(sentence: Sentence, token: int) -> str:
    """Return the text of a token; if the sentence repeats it, its place from 1 follows."""
    texts = [each.text for each in sentence.tokens]
    return texts[token] if texts.count(texts[token]) == 1 else f"{texts[token]} ({token + 1})"


def _reasons(inputs: PredictionInput, column: Matrix, token: int, right: str) -> Iterator[Reason]:
    """Say which rows give the column (n,) most, and what it gets from its own row."""
    sentence, readers = inputs.sentence, list(range(len(column)))
    if inputs.model.card.causal:
        readers = readers[token:]
        yield Reason("causal", {"n_rows": str(len(readers))})
    others = sorted((row for row in readers if row != token), key=lambda row: -float(column[row]))
    givers = [
        {"other": token_name(sentence, row), "weight": format_weight(float(column[row]))}
        for row in others[:2]
    ]
    if len(givers) == 2 and right != "less":
        second = {f"second_{name}": value for name, value in givers[1].items()}
        yield Reason("givers", givers[0] | second)
    elif givers:
        yield Reason("at_most", givers[0])
    yield Reason("itself", {"weight": format_weight(float(column[token]))})
    word = sentence.words[inputs.word]
    if word.is_split:
        yield Reason("pieces", {"n_pieces": str(len(word.pieces))})


COLUMN_TOTAL = PredictionType(
    ask,
    answer,
    depends_on=("text", "model", "layer", "head", "word"),
    question_placeholders=("column",),
    placeholders=("total",),
    reasons={
        "causal": ("n_rows",),
        "at_most": ("other", "weight"),
        "givers": ("other", "weight", "second_other", "second_weight"),
        "itself": ("weight",),
        "pieces": ("n_pieces",),
    },
    unanswerable=("one_word",),
)
