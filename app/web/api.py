"""`/api/v1`: what the lab shows, as numbers."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel

from app.models import Card, Model, Registry, Sentence
from app.web.errors import UnusableRequestError
from app.web.view import Problem, read_index, read_model, read_sentence

DIGITS = 7
"""Weights are rounded to so many digits: rows of the longest sentence still sum to 1 ± 3e-6."""


class ModelSummary(BaseModel):
    """A model and the shapes that its attention has; `card` tells how it was trained."""

    id: str
    n_layers: int
    n_heads: int
    d_model: int
    d_head: int
    max_tokens: int
    source: str
    card: Card


class TokenOut(BaseModel):
    """`text` is `[start:end]` of the sentence in characters; `word` counts words from 0."""

    text: str
    start: int
    end: int
    word: int
    known: bool


class Attention(BaseModel):
    """`weights[head][query][key]`, shape (n_heads, n, n); every row sums to 1 within 1e-5."""

    model: str
    layer: int
    tokens: list[TokenOut]
    weights: list[list[list[float]]]


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


def router(models: Registry, default_model: str) -> APIRouter:
    routes = APIRouter(prefix="/api/v1", tags=["attention"])

    @routes.get("/models")
    async def list_models() -> list[ModelSummary]:
        """Every model that can be asked, in the order of their number of heads."""
        return [summary(model.card) for model in models]

    @routes.get("/attention", responses={422: {"model": ErrorOut}})
    async def attention(
        text: Annotated[str, Query(description="The sentence.", examples=["Birds sing at dawn"])],
        model: Annotated[str, Query(description="A model's id.")] = default_model,
        layer: Annotated[str, Query(description="Layer, counted from 0.")] = "0",
    ) -> Attention:
        """The attention weights of one layer on a sentence: rows are queries, columns keys."""
        problems: list[Problem] = []
        asked = read_model(model, models, models[default_model], problems)
        at = read_index("layer", {"layer": layer}, 0, asked.card.n_layers, problems)
        sentence = read_sentence(text, asked, problems)
        if problems or sentence is None:
            raise UnusableRequestError(problems)
        return attention_of(asked, sentence, at)

    return routes


def summary(card: Card) -> ModelSummary:
    return ModelSummary(card=card, **card.model_dump(include=set(ModelSummary.model_fields)))


def attention_of(model: Model, sentence: Sentence, layer: int) -> Attention:
    weights = model.read(sentence, last_layer=layer).weights[layer]
    return Attention(
        model=model.card.id,
        layer=layer,
        tokens=[
            TokenOut(text=t.text, start=t.start, end=t.end, word=t.word, known=t.known)
            for t in sentence.tokens
        ],
        weights=np.round(weights.astype(np.float64), DIGITS).tolist(),
    )
