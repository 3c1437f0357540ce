"""Response models that several routes of the API share."""

from collections.abc import Iterable

from pydantic import BaseModel

from app.models import Token


class TokenOut(BaseModel):
    """A token. `text` is `[start:end]` of the sentence in characters, `word` the index of its word.

    A `special` token was added by the tokenizer and is not in the sentence; one that is not `known`
    is not in the vocabulary.
    """

    text: str
    start: int
    end: int
    word: int
    known: bool
    special: bool


class ProblemOut(BaseModel):
    """A query parameter that cannot be used, with the values that are allowed."""

    name: str
    message: str
    allowed: list[str]


class ErrorBody(BaseModel):
    status: int
    title: str
    problems: list[ProblemOut]


class ErrorOut(BaseModel):
    """An error, with one problem for each query parameter that cannot be used."""

    error: ErrorBody


def token_outs(tokens: Iterable[Token]) -> list[TokenOut]:
    field_names = TokenOut.model_fields
    return [TokenOut(**{name: getattr(token, name) for name in field_names}) for token in tokens]
