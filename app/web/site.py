"""What pages are made of, and where steps stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.lesson import LABS, Lab, LabView, Lesson, Step
from app.models import Model, Registry
from app.web.exports import Studio
from app.web.tasks import Signer
from app.web.templating import Pages


@dataclass(frozen=True)
class Site:
    """Lessons, models, and what fills in templates and draws pictures for files."""

    lessons: Sequence[Lesson]
    models: Registry
    pages: Pages
    studio: Studio
    signer: Signer
    may_be_embedded: bool = False

    def heads_of(self, model: Model) -> tuple[tuple[str, int], ...]:
        """Id and number of heads of every model whose maps are of the same tokens."""
        return self._heads_of[model.card.id]

    @cached_property
    def _heads_of(self) -> dict[str, tuple[tuple[str, int], ...]]:
        return {
            model.card.id: tuple(
                (each.card.id, each.card.n_heads) for each in self.models.that_read_like(model)
            )
            for model in self.models
        }

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

    def opening(self, lesson: Lesson) -> LabView:
        """What the lesson's first step shows unasked."""
        facts = lesson.steps[0].facts
        model, chosen = self.models[facts.defaults.model], facts.defaults
        sentence = model.tokenizer.sentence(chosen.text)
        return LabView(sentence, model, chosen.layer, chosen.head, chosen.word, self.models)


def path_of(lesson: Lesson, step: Step) -> str:
    return f"/{lesson.slug}/{step.slug}"
