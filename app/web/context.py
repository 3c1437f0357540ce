"""What pages are made of, and where steps stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.evaluation.registry import EvaluatedRegistry
from app.exports.figure import FigureRenderer
from app.lesson import LABS, Lab, LabState, Lesson, Selection, Step
from app.models import MODEL_KINDS, Model
from app.web.rate_limit import RateLimitCheck
from app.web.rendering.templates import Templates
from app.web.state.assignments import Signer

HeadCounts = tuple[tuple[str, int], ...]
"""Models, each by its id and its number of heads."""


@dataclass(frozen=True, eq=False)
class ModelChoices:
    """What can be chosen beside a model: those of its source, the nearest one of each source, and
    those whose maps are of the same tokens.
    """

    same_kind: HeadCounts
    nearest_by_kind: tuple[tuple[str, str], ...]
    comparable: HeadCounts


@dataclass(frozen=True)
class AppContext:
    """Lessons, models, and what fills in templates and draws pictures for files."""

    lessons: Sequence[Lesson]
    models: EvaluatedRegistry
    templates: Templates
    figure_renderer: FigureRenderer
    signer: Signer
    check_rate_limit: RateLimitCheck
    may_be_embedded: bool = False

    def choices_for(self, model: Model) -> ModelChoices:
        return self._choices_by_model[model.card.id]

    @cached_property
    def _choices_by_model(self) -> dict[str, ModelChoices]:
        return {model.card.id: self._build_choices(model) for model in self.models}

    def _build_choices(self, model: Model) -> ModelChoices:
        nearest = {kind: self.models.nearest_of_kind(model, kind) for kind in MODEL_KINDS}
        return ModelChoices(
            _head_counts(self.models.of_kind(model.card.kind)),
            tuple((kind, neighbour.card.id) for kind, neighbour in nearest.items() if neighbour),
            _head_counts(self.models.with_same_tokenizer(model)),
        )

    def lesson(self, slug: str) -> Lesson:
        for lesson in self.lessons:
            if lesson.slug == slug:
                return lesson
        raise HTTPException(404)

    def step(self, lesson: Lesson, name: str) -> Step:
        if step := lesson.step(name):
            return step
        why = next((line.why for line in lesson.outline if name == str(line.number)), "")
        raise HTTPException(404, f"This step is {why}." if why else None)

    def step_from_path(self, request: Request) -> tuple[Lesson, Step]:
        """The lesson and the step that a path names."""
        lesson = self.lesson(request.path_params["lesson"])
        return lesson, self.step(lesson, request.path_params["step"])

    def lab_of(self, step: Step) -> Lab:
        return LABS[step.config.lab.name]

    def first_lab_state(self, lesson: Lesson) -> LabState:
        """What the lesson's first step shows unasked."""
        config = lesson.steps[0].config
        model, defaults = self.models[config.defaults.model], config.defaults
        sentence = model.tokenizer.sentence(defaults.text)
        selection = Selection(sentence, model, defaults.layer, defaults.head, defaults.word)
        return LabState(selection, self.models)


def _head_counts(models: Sequence[Model]) -> HeadCounts:
    return tuple((model.card.id, model.card.n_heads) for model in models)


def path_of(lesson: Lesson, step: Step) -> str:
    return f"/{lesson.slug}/{step.slug}"
