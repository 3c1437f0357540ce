"""What several answers of the API are made of."""

from pydantic import BaseModel

from app.models import Sentence


class TokenOut(BaseModel):
    """`text` is `[start:end]` of the sentence in characters; `word` counts words from 0."""

    text: str
    start: int
    end: int
    word: int
    known: bool


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


def tokens_of(sentence: Sentence) -> list[TokenOut]:
    return [
        TokenOut(text=t.text, start=t.start, end=t.end, word=t.word, known=t.known)
        for t in sentence.tokens
    ]
