"""Lessons from their folders, with every mistake named by file and line."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.lesson import directives
from app.lesson.directives import MARKERS, Part
from app.lesson.labs import LABS
from app.lesson.questions import FIELDS, TRUTHS
from app.lesson.schema import LessonFacts, StepFacts

_STEP_NAME = re.compile(r"^(\d\d)-([a-z0-9]+(?:-[a-z0-9]+)*)$")
_LINE_OF_TOML_ERROR = re.compile(r"at line (\d+)")

Facts = TypeVar("Facts", bound=BaseModel)


@dataclass(frozen=True)
class Mistake:
    """Something an author must mend."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class BrokenLessonError(ValueError):
    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(map(str, mistakes)))


@dataclass(frozen=True)
class Step:
    """One step: its facts, and its prose cut at the markers."""

    number: int
    slug: str
    facts: StepFacts
    before_lab: tuple[Part, ...]
    after_lab: tuple[Part, ...]


@dataclass(frozen=True)
class Outline:
    """A line of the table of contents; `step` is None while it is still to be written."""

    number: int
    title: str
    step: Step | None


@dataclass(frozen=True)
class Lesson:
    slug: str
    facts: LessonFacts
    steps: tuple[Step, ...]

    @property
    def outline(self) -> list[Outline]:
        """Every step in order, written or planned."""
        written = [Outline(step.number, step.facts.title, step) for step in self.steps]
        planned = [Outline(step.number, step.title, None) for step in self.facts.planned]
        return sorted(written + planned, key=lambda line: line.number)

    def step(self, name: str) -> Step | None:
        """By slug, or by number."""
        return next((s for s in self.steps if name in (s.slug, str(s.number))), None)


def load_lessons(folder: Path) -> list[Lesson]:
    """Every lesson under `folder`. Raises `BrokenLessonError` with all mistakes at once."""
    lessons, mistakes = [], []
    for facts_file in sorted(folder.glob("*/lesson.toml")):
        try:
            lessons.append(load_lesson(facts_file.parent))
        except BrokenLessonError as error:
            mistakes += error.mistakes
    if mistakes:
        raise BrokenLessonError(mistakes)
    return lessons


def load_lesson(folder: Path) -> Lesson:
    """One lesson. Raises `BrokenLessonError`."""
    mistakes: list[Mistake] = []
    facts = _facts(folder / "lesson.toml", LessonFacts, mistakes)
    stems = sorted({file.stem for file in folder.glob("*") if file.name != "lesson.toml"})
    steps = [step for stem in stems if (step := _step(folder / stem, mistakes))]
    if facts:
        lesson = Lesson(folder.name, facts, tuple(steps))
        numbers = [line.number for line in lesson.outline]
        if not mistakes and numbers != list(range(1, len(numbers) + 1)):
            mistakes.append(
                Mistake(folder / "lesson.toml", 1, f"steps are numbered {numbers}, not 1, 2, 3 …")
            )
    if mistakes or not facts:
        raise BrokenLessonError(mistakes)
    return lesson


def _step(stem: Path, mistakes: list[Mistake]) -> Step | None:
    prose_file, facts_file = stem.with_suffix(".md"), stem.with_suffix(".toml")
    name = _STEP_NAME.match(stem.name)
    if not name:
        mistakes.append(Mistake(prose_file, 1, "a step's files are named like 03-some-title.md"))
        return None
    missing = [file for file in (prose_file, facts_file) if not file.is_file()]
    if missing:
        mistakes += [
            Mistake(file, 1, "is missing; a step is a .md and a .toml") for file in missing
        ]
        return None
    prose = prose_file.read_text(encoding="utf-8")
    mistakes += _prose_mistakes(prose_file, prose)
    facts = _facts(facts_file, StepFacts, mistakes)
    if not facts:
        return None
    mistakes += _step_mistakes(facts_file, facts)
    parts = directives.parts(prose)
    kinds = [part.kind for part in parts]
    lab = kinds.index("lab") if "lab" in kinds else len(parts)
    return Step(
        int(name.group(1)), name.group(2), facts, tuple(parts[:lab]), tuple(parts[lab + 1 :])
    )


def _prose_mistakes(file: Path, prose: str) -> Iterator[Mistake]:
    found = directives.markers(prose)
    for name, line in found:
        if name not in MARKERS:
            yield Mistake(file, line, f"unknown marker ::{name}; there are {_listed(MARKERS)}")
    for name in MARKERS:
        lines = [line for marker, line in found if marker == name]
        if len(lines) != 1:
            yield Mistake(
                file, lines[-1] if lines else 1, f"::{name} must stand in it exactly once"
            )


def _step_mistakes(file: Path, facts: StepFacts) -> Iterator[Mistake]:
    source = file.read_text(encoding="utf-8")
    if facts.lab.name not in LABS:
        message = f"unknown lab “{facts.lab.name}”; there are {_listed(LABS)}"
        yield Mistake(file, line_of(source, ("lab", "name")), message)
    if facts.predict.computed_by not in TRUTHS:
        message = f"nothing computes “{facts.predict.computed_by}”; there are {_listed(TRUTHS)}"
        yield Mistake(file, line_of(source, ("predict", "computed_by")), message)
    for name in ("question", "right", "wrong", "reveal"):
        for field in sorted(directives.fields(getattr(facts.predict, name)) - set(FIELDS)):
            message = f"unknown field {{{field}}}; there are {_listed(FIELDS)}"
            yield Mistake(file, line_of(source, ("predict", name)), message)
    ids = [option.id for option in facts.check.options]
    if len(set(ids)) != len(ids):
        yield Mistake(file, line_of(source, ("check", "options")), f"ids repeat: {_listed(ids)}")
    if sum(option.right for option in facts.check.options) != 1:
        yield Mistake(file, line_of(source, ("check",)), "exactly one option must be right = true")


def _listed(names: object) -> str:
    return ", ".join(map(str, names)) if isinstance(names, tuple | list | dict) else str(names)


def _facts(file: Path, schema: type[Facts], mistakes: list[Mistake]) -> Facts | None:
    source = file.read_text(encoding="utf-8")
    try:
        return schema.model_validate(tomllib.loads(source))
    except tomllib.TOMLDecodeError as error:
        line = _LINE_OF_TOML_ERROR.search(str(error))
        mistakes.append(Mistake(file, int(line.group(1)) if line else 1, str(error)))
    except ValidationError as error:
        for problem in error.errors():
            place = ".".join(map(str, problem["loc"]))
            line_number = line_of(source, problem["loc"])
            mistakes.append(Mistake(file, line_number, f"{place}: {problem['msg']}"))
    return None


def line_of(source: str, place: tuple[int | str, ...]) -> int:
    """The line, from 1, where TOML `source` sets `place`; that of the nearest thing around it
    if it is not set at all.
    """
    lines = source.splitlines()
    at = 0
    for index, name in enumerate(place):
        if isinstance(name, int):
            continue
        times = place[index + 1] if index + 1 < len(place) else 0
        repeats = times if isinstance(times, int) else 0
        header = re.compile(
            rf"\s*\[+\s*([\w.-]+\.)?{re.escape(name)}\s*\]|\s*{re.escape(name)}\s*="
        )
        hits = [number for number in range(at, len(lines)) if header.match(lines[number])]
        if not hits:
            break
        at = hits[min(repeats, len(hits) - 1)]
    return at + 1
