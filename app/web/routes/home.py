"""Home: the first lesson on the learner's own sentence, and the steps of every lesson."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.evaluation.registry import EvaluatedRegistry
from app.lesson import LabState, Lesson, Selection
from app.lesson.asking_word import longest_word
from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.models import sanitise_text
from app.web.context import AppContext
from app.web.htmx import VARY_REQUEST_TYPE, htmx_details
from app.web.state.query_params import Problem
from app.web.state.view import parse_sentence


@dataclass(frozen=True)
class Opening:
    """The first step's heads on a sentence.

    `typed_text` is the sentence as submitted; `state` and `figures` are of the default sentence if
    there is a `problem` with it.
    """

    typed_text: str
    state: LabState
    figures: tuple[HeadFigure, ...]
    problem: Problem | None

    @property
    def chosen(self) -> HeadFigure:
        return self.figures[self.state.head]


def router(app_context: AppContext) -> APIRouter:
    async def home(request: Request) -> Response:
        text = request.query_params.get("text")
        openings = {
            lesson.slug: opening(lesson, app_context.models, text) for lesson in app_context.lessons
        }
        problem = any(each.problem for each in openings.values())
        is_partial = htmx_details(request).is_partial
        return app_context.templates.response(
            request,
            "parts/home-maps.html" if is_partial else "home.html",
            {
                "lessons": app_context.lessons,
                "openings": openings,
                "opening": next(iter(openings.values()), None),
            },
            status=422 if problem else 200,
            headers={"Vary": VARY_REQUEST_TYPE},
        )

    routes = APIRouter(include_in_schema=False)
    routes.add_route("/", home)
    return routes


def opening(lesson: Lesson, models: EvaluatedRegistry, text: str | None) -> Opening:
    """Return the heads of the lesson's first step on a text, None for the default sentence."""
    defaults = lesson.steps[0].config.defaults
    model = models[defaults.model]
    typed_text = sanitise_text(defaults.text if text is None else text)
    problems: list[Problem] = []
    sentence = parse_sentence(typed_text, model, problems)
    if sentence is None:
        sentence = model.tokenizer.sentence(defaults.text)
    word = defaults.word if sentence.text == defaults.text else longest_word(sentence)
    selection = Selection(sentence, model, defaults.layer, defaults.head, word)
    state = LabState(selection, models)
    return Opening(typed_text, state, head_figures(state, state.maps), next(iter(problems), None))
