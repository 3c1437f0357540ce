"""What routes share: lessons, models, templates and services."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.evaluation.registry import EvaluatedRegistry
from app.exports.figure import FigureRenderer
from app.lesson import Lesson, Step
from app.models import MODEL_KINDS, Model
from app.web.rate_limit import RateLimitCheck
from app.web.rendering.templates import Templates
from app.web.state.assignments import Signer

ModelHeadCounts = tuple[tuple[str, int], ...]
"""Models, each as its id and its number of heads."""


@dataclass(frozen=True, eq=False)
class ModelChoices:
    """The models that a page offers next to the chosen one.

    same_kind: models of the same kind.
    nearest_by_kind: for each kind the id of the model with the nearest number of heads.
    comparable: models with the same tokenizer, whose maps can be subtracted.

    Compared and hashed by identity: it is a key of cached partial templates.
    """

    same_kind: ModelHeadCounts
    nearest_by_kind: tuple[tuple[str, str], ...]
    comparable: ModelHeadCounts


@dataclass(frozen=True)
class AppContext:
    """The application's lessons and models, and the services that routes need."""

    lessons: Sequence[Lesson]
    models: EvaluatedRegistry
    templates: Templates
    figure_renderer: FigureRenderer
    signer: Signer
    check_rate_limit: RateLimitCheck
    may_be_embedded: bool = False

    @cached_property
    def model_choices(self) -> Mapping[str, ModelChoices]:
        """The choices next to each model, by its id."""
        return {model.card.id: model_choices(model, self.models) for model in self.models}

    def lesson(self, slug: str) -> Lesson:
        """Return the lesson; raise 404 if there is none of this slug."""
        for lesson in self.lessons:
            if lesson.slug == slug:
                return lesson
        raise HTTPException(404)

    def step(self, lesson: Lesson, name: str) -> Step:
        """Return the step of this slug or number; raise 404, with the reason, if it is missing."""
        if step := lesson.step(name):
            return step
        why = next((line.why for line in lesson.outline if name == str(line.number)), "")
        raise HTTPException(404, f"This step is {why}." if why else None)

    def step_from_path(self, request: Request) -> tuple[Lesson, Step]:
        """Return the lesson and the step that the request's path names."""
        lesson = self.lesson(request.path_params["lesson"])
        return lesson, self.step(lesson, request.path_params["step"])


def model_choices(model: Model, models: EvaluatedRegistry) -> ModelChoices:
    """Return what can be chosen next to a model."""
    nearest = {kind: models.nearest_of_kind(model, kind) for kind in MODEL_KINDS}
    return ModelChoices(
        _head_counts(models.of_kind(model.card.kind)),
        tuple((kind, neighbour.card.id) for kind, neighbour in nearest.items() if neighbour),
        _head_counts(models.with_same_tokenizer(model)),
    )


def _head_counts(models: Sequence[Model]) -> ModelHeadCounts:
    return tuple((model.card.id, model.card.n_heads) for model in models)
