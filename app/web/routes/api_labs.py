"""`/api/v1/lessons` and `/api/v1/labs`: lessons, and everything that a lab shows, as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

import numpy as np
from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import Request

from app.lesson import compare, explain
from app.lesson.json_fields import json_fields
from app.web.context import AppContext
from app.web.errors import InvalidParametersError
from app.web.rate_limit import RATE_LIMIT_RESPONSES
from app.web.schemas import ErrorOut, TokenOut, token_outs
from app.web.state.links import path_of
from app.web.state.requested_view import RequestedView, lab_of, requested_view

QUERY_DESCRIPTIONS = {
    "text": "The sentence; by default the step's own.",
    "model": "A model's id.",
    "layer": "Layer, counted from 0.",
    "head": "Head, counted from 0.",
    "word": "The query word, counted from 0.",
    "cell": "A cell to explain, as query.key in tokens from 0: 2.1.",
    "minus": "A head to compare with, as model.head: headwise-h1.0.",
    "off": "Heads whose output is zeroed, as layer.head: 0.2 or 0.2,1.0.",
    "groups": "Number of key-value heads that the query heads share.",
    "causal": "1: each token attends only to itself and the tokens before it.",
    "unscaled": "1: scores are not divided by the square root of d_head.",
    "weighted": "1: weights are multiplied by the norm of the key's value after W_O.",
    "hide": "1: special tokens are left out, and rows are renormalised to sum to 1.",
    "shuffled": "1: the words of the sentence are shuffled.",
    "v": "Version of the lesson that gives the defaults.",
}
"""Query parameters of a view that change its numbers. A lab ignores those that it does not use."""

PICTURE_PREFIXES = ("<svg", "<ol")
"""How a drawn figure begins. Figures are left out of JSON; their numbers are there."""


class StepOut(BaseModel):
    """A step. `lab` is the URL of its numbers, which takes every query parameter of a view;
    `controls` are those beyond the sentence, model, layer, head and word. `minutes` are computed
    from the words and from what there is to do.
    """

    number: int
    title: str
    objective: str
    minutes: float
    path: str
    lab: str
    controls: list[str]


class LessonOut(BaseModel):
    slug: str
    title: str
    version: str | None
    minutes: float
    steps: list[StepOut]


class ChoiceOut(BaseModel):
    id: str
    label: str


class QuestionOut(BaseModel):
    """The question of a step. `answers` are the right choices, several if they tie."""

    choices: list[ChoiceOut]
    answers: list[str]
    values: dict[str, str]


class LabOut(BaseModel):
    """Everything that a lab shows of a view.

    `view` has the view's query parameters, `link` is the shortest URL that opens it. `sets` gives
    the key-value head of each query head. `weights[head][query][key]` are what the maps show, of
    `tokens`, which are in shuffled order if the view is shuffled. `lab` is what the step's lab
    computes, `explained` the arithmetic of the cell `cell`, `compared` the difference to the head
    `minus`.
    """

    view: dict[str, str]
    link: str
    tokens: list[TokenOut]
    sets: list[int]
    weights: list[list[list[float]]]
    lab: dict[str, Any]
    explained: dict[str, Any] | None
    compared: dict[str, Any] | None
    prediction: QuestionOut


def to_json_value(value: object) -> Any:  # noqa: ANN401
    """Convert a value of a lab to JSON types, without pictures."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        values = json_fields(value)
        return {name: to_json_value(part) for name, part in values.items() if not _is_picture(part)}
    if isinstance(value, Mapping):
        return {str(name): to_json_value(part) for name, part in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json_value(part) for part in value]
    return value


def _is_picture(value: object) -> bool:
    return isinstance(value, str) and value.startswith(PICTURE_PREFIXES)


def router(app_context: AppContext) -> APIRouter:
    routes = APIRouter(
        prefix="/api/v1",
        tags=["lessons"],
        dependencies=[Depends(app_context.check_rate_limit)],
        responses=RATE_LIMIT_RESPONSES,
    )

    @routes.get("/lessons")
    async def lessons() -> list[LessonOut]:
        """List the lessons with their steps."""
        return [
            LessonOut(
                slug=lesson.slug,
                title=lesson.config.title,
                version=lesson.config.version,
                minutes=lesson.minutes,
                steps=[
                    StepOut(
                        number=step.number,
                        title=step.config.title,
                        objective=step.config.objective,
                        minutes=round(step.reading_time.minutes, 2),
                        path=path_of(lesson, step),
                        lab=f"/api/v1/labs{path_of(lesson, step)}",
                        controls=list(lab_of(step).controls),
                    )
                    for step in lesson.steps
                ],
            )
            for lesson in app_context.lessons
        ]

    @routes.get(
        "/labs/{lesson}/{step}",
        responses={404: {"model": ErrorOut}, 422: {"model": ErrorOut}},
        openapi_extra={
            "parameters": [_openapi_parameter(*each) for each in QUERY_DESCRIPTIONS.items()]
        },
    )
    async def lab(request: Request, lesson: str, step: str) -> LabOut:
        """Return everything that a step's lab shows.

        It takes the query of the page: put `/api/v1/labs` before the path of any link to a view.
        """
        chosen_lesson = app_context.lesson(lesson)
        query, chosen_step = dict(request.query_params), app_context.step(chosen_lesson, step)
        requested = requested_view(
            query, chosen_lesson, chosen_step, app_context.models, app_context.signer
        )
        if requested.parsed.problems:
            raise InvalidParametersError(list(requested.parsed.problems))
        return lab_response(requested)

    return routes


def _openapi_parameter(name: str, description: str) -> dict[str, object]:
    schema = {"type": "string"}
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }


def lab_response(requested: RequestedView) -> LabOut:
    """Return everything of a view, whether the learner has predicted or not."""
    state, prediction = requested.complete_lab_state, requested.prediction
    displayed = state.displayed
    return LabOut(
        view=requested.view.query_params,
        link=requested.links.url,
        tokens=token_outs(displayed.tokens),
        sets=[head // displayed.group_size for head in range(displayed.model.card.n_heads)],
        weights=displayed.maps.tolist(),
        lab=to_json_value(requested.lab.run(state)),
        explained=to_json_value(explain(displayed)),
        compared=to_json_value(compare(state)),
        prediction=QuestionOut(
            choices=[ChoiceOut(id=each, label=label) for each, label in prediction.labels.items()],
            answers=list(prediction.answer.right),
            values={**prediction.question.values, **prediction.answer.values},
        ),
    )
