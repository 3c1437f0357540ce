"""What several answers of the API are made of."""

from collections.abc import Iterable

from pydantic import BaseModel

from app.models import Token


class TokenOut(BaseModel):
    """`text` is `[start:end]` of the sentence in characters; `word` counts words from 0. What is
    `special` was added by the model's tokenizer and stands nowhere in the sentence.
    """

    text: str
    start: int
    end: int
    word: int
    known: bool
    special: bool


class ProblemOut(BaseModel):
    name: str
    message: str
    allowed: list[str]


class ErrorBody(BaseModel):
    status: int
    title: str
    problems: list[ProblemOut]


class ErrorOut(BaseModel):
    """What was wrong, one entry for each value, and what is allowed in its place."""

    error: ErrorBody


def token_outs(tokens: Iterable[Token]) -> list[TokenOut]:
    field_names = TokenOut.model_fields
    return [TokenOut(**{name: getattr(token, name) for name in field_names}) for token in tokens]
