"""`/api/v1`: models, attention weights and predictions, as JSON."""

from dataclasses import asdict
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel

from app.attention import Intervention
from app.evaluation.report import Evidence
from app.models import Card, Model, Sentence, UnknownModelError
from app.models.prediction import CannotPredictError, NoMaskError, predict_tokens
from app.web.context import AppContext
from app.web.errors import InvalidParametersError
from app.web.rate_limit import RATE_LIMIT_RESPONSES
from app.web.schemas import ErrorOut, TokenOut, token_outs
from app.web.state.controls import parse_ablated_heads
from app.web.state.query_params import Problem, parse_index
from app.web.state.view import parse_model, parse_sentence

DEFAULT_MODEL = "headwise-h4"

DIGITS = 7
"""Decimal places of weights: rows of the longest sentence still sum to 1 within 3e-6."""


class ModelSummary(BaseModel):
    """A model and the shapes of its attention; `card` says how it was trained.

    `n_sets` is the number of key-value heads of a layer: `n_heads` unless heads share them.
    """

    id: str
    n_layers: int
    n_heads: int
    n_sets: int
    d_model: int
    d_head: int
    max_tokens: int
    source: str
    card: Card


class HeadsOut(BaseModel):
    """Measurements of a model's heads; `labels` has the names that they support, by layer.head."""

    labels: dict[str, list[str]]
    relations_found: list[str]
    record: Evidence


class Attention(BaseModel):
    """Attention weights of one layer: `weights[head][query][key]`, shape (n_heads, n, n).

    Every row sums to 1 within 1e-5.
    """

    model: str
    layer: int
    tokens: list[TokenOut]
    weights: list[list[list[float]]]


class GuessOut(BaseModel):
    """A token of the vocabulary; `is_piece` if it continues a word."""

    text: str
    is_piece: bool
    probability: float


class BlankOut(BaseModel):
    """Predictions for a token, best first. `token` is the index of the masked token, or of the last
    token for a model that predicts the next one.
    """

    token: int
    guesses: list[GuessOut]


class Prediction(BaseModel):
    """Predicted tokens. `off` lists the ablated heads as [layer, head]; `guesses` is the kind of
    prediction, of masked tokens or of the next one.
    """

    model: str
    guesses: str
    off: list[tuple[int, int]]
    tokens: list[TokenOut]
    blanks: list[BlankOut]


def router(app_context: AppContext) -> APIRouter:
    models = app_context.models
    routes = APIRouter(
        prefix="/api/v1",
        tags=["attention"],
        dependencies=[Depends(app_context.check_rate_limit)],
        responses=RATE_LIMIT_RESPONSES,
    )
    # The enum is in the description alone: an unknown model gets an error in plain words.
    model_id = Annotated[
        str, Query(description="A model's id.", json_schema_extra={"enum": list(models.ids)})
    ]

    @routes.get("/models")
    async def list_models() -> list[ModelSummary]:
        """List the models: trained ones by number of heads, untrained copies, then checkpoints."""
        return [model_summary(model.card) for model in models]

    @routes.get("/models/{model}/heads", responses={404: {"model": ErrorOut}})
    async def heads(model: str) -> HeadsOut:
        """Return what was measured of a model's heads on a treebank, and the names it supports."""
        try:
            evidence = models.evidence_of(models[model])
        except UnknownModelError as error:
            raise HTTPException(404, str(error)) from error
        if not evidence:
            raise HTTPException(404, f"The heads of {model} have not been measured.")
        names = {f"{each.layer}.{each.head}": evidence.labels(each) for each in evidence.heads}
        return HeadsOut(labels=names, relations_found=evidence.relations_found, record=evidence)

    @routes.get("/attention", responses={422: {"model": ErrorOut}})
    async def attention(
        text: Annotated[str, Query(description="The sentence.", examples=["Birds sing at dawn"])],
        model: model_id = DEFAULT_MODEL,
        layer: Annotated[
            str,
            Query(
                description="Layer, counted from 0.", json_schema_extra={"pattern": "^[0-9]{1,3}$"}
            ),
        ] = "0",
    ) -> Attention:
        """Return the attention weights of one layer: rows are queries, columns are keys."""
        problems: list[Problem] = []
        chosen_model = parse_model(model, models, models[DEFAULT_MODEL], problems)
        layer_index = parse_index(
            "layer", {"layer": layer}, 0, chosen_model.card.n_layers, problems
        )
        sentence = parse_sentence(text, chosen_model, problems)
        if problems or sentence is None:
            raise InvalidParametersError(problems)
        return attention_response(chosen_model, sentence, layer_index)

    @routes.get("/predict", responses={422: {"model": ErrorOut}})
    async def predict(
        text: Annotated[
            str,
            Query(
                description="The sentence, with [MASK] or the model's own mask token for each word"
                " to predict. For a causal model: the text before the next word.",
                examples=["Birds [MASK] at dawn"],
            ),
        ],
        model: model_id = DEFAULT_MODEL,
        off: Annotated[
            str, Query(description="Heads whose output is zeroed, as layer.head: 0.2 or 0.2,1.0.")
        ] = "",
        top: Annotated[int, Query(ge=1, le=50, description="Predictions for each mask.")] = 5,
    ) -> Prediction:
        """Return the likeliest tokens for each mask, or for a causal model the next token.

        The output of a head in `off` is replaced by zeros; its attention weights do not change.
        """
        problems: list[Problem] = []
        chosen_model = parse_model(model, models, models[DEFAULT_MODEL], problems)
        ablated_heads = parse_ablated_heads(off, chosen_model.card, problems)
        sentence = parse_sentence(text, chosen_model, problems)
        if problems or sentence is None:
            raise InvalidParametersError(problems)
        try:
            blanks = predict_tokens(
                chosen_model,
                sentence,
                top=top,
                intervention=Intervention(ablated_heads=ablated_heads),
            )
        except (NoMaskError, CannotPredictError) as error:
            raise InvalidParametersError([Problem("text", str(error))]) from error
        return Prediction(
            model=chosen_model.card.id,
            guesses=chosen_model.card.predicts,
            off=sorted(ablated_heads),
            tokens=token_outs(sentence.tokens),
            blanks=[BlankOut.model_validate(asdict(blank)) for blank in blanks],
        )

    return routes


def model_summary(card: Card) -> ModelSummary:
    shared_fields = card.model_dump(include=set(ModelSummary.model_fields))
    return ModelSummary(card=card, source=card.kind, n_sets=card.n_kv_heads, **shared_fields)


def attention_response(model: Model, sentence: Sentence, layer: int) -> Attention:
    weights = model.run(sentence, last_layer=layer).weights[layer]
    return Attention(
        model=model.card.id,
        layer=layer,
        tokens=token_outs(sentence.tokens),
        weights=np.round(weights.astype(np.float64), DIGITS).tolist(),
    )
