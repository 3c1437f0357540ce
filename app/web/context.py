"""What pages are made of, and where steps stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.lesson import LABS, Lab, LabState, Lesson, Step
from app.models import SOURCES, Model, Registry
from app.web.exports import Studio
from app.web.rendering.templates import Pages
from app.web.state.assignments import Signer

IdsAndHeads = tuple[tuple[str, int], ...]
"""Models, each by its id and its number of heads."""


@dataclass(frozen=True, eq=False)
class Beside:
    """What can be chosen beside a model: those of its source, the nearest one of each source, and
    those whose maps are of the same tokens.
    """

    models: IdsAndHeads
    sources: tuple[tuple[str, str], ...]
    heads: IdsAndHeads


@dataclass(frozen=True)
class Site:
    """Lessons, models, and what fills in templates and draws pictures for files."""

    lessons: Sequence[Lesson]
    models: Registry
    pages: Pages
    studio: Studio
    signer: Signer
    may_be_embedded: bool = False

    def beside(self, model: Model) -> Beside:
        return self._beside[model.card.id]

    @cached_property
    def _beside(self) -> dict[str, Beside]:
        return {model.card.id: self._beside_one(model) for model in self.models}

    def _beside_one(self, model: Model) -> Beside:
        likes = {source: self.models.like(model, source) for source in SOURCES}
        return Beside(
            _ids_and_heads(self.models.of_source(model.card.source)),
            tuple((source, like.card.id) for source, like in likes.items() if like),
            _ids_and_heads(self.models.that_read_like(model)),
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

    def asked_for(self, request: Request) -> tuple[Lesson, Step]:
        """The lesson and the step that a path names."""
        lesson = self.lesson(request.path_params["lesson"])
        return lesson, self.step(lesson, request.path_params["step"])

    def lab_of(self, step: Step) -> Lab:
        return LABS[step.facts.lab.name]

    def opening(self, lesson: Lesson) -> LabState:
        """What the lesson's first step shows unasked."""
        facts = lesson.steps[0].facts
        model, chosen = self.models[facts.defaults.model], facts.defaults
        sentence = model.tokenizer.sentence(chosen.text)
        return LabState(sentence, model, chosen.layer, chosen.head, chosen.word, self.models)


def _ids_and_heads(models: Sequence[Model]) -> IdsAndHeads:
    return tuple((model.card.id, model.card.n_heads) for model in models)


def path_of(lesson: Lesson, step: Step) -> str:
    return f"/{lesson.slug}/{step.slug}"
