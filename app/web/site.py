"""What pages are made of, and where steps stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException

from app.lesson import Lesson, Step
from app.models import Registry
from app.web.templating import Pages


@dataclass(frozen=True)
class Site:
    """Lessons, models, and what fills in templates."""

    lessons: Sequence[Lesson]
    models: Registry
    pages: Pages

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


def path_of(lesson: Lesson, step: Step) -> str:
    return f"/{lesson.slug}/{step.slug}"
