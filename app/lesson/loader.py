"""Lessons from their folders, with every mistake named by file and line."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.lesson import markdown
from app.lesson.markdown import Part
from app.lesson.schema import LessonFacts, StepFacts
from app.lesson.validation import (
    Mistake,
    answer_mistakes,
    end_mistakes,
    line_of,
    listed,
    prose_mistakes,
    step_mistakes,
)
from app.lesson.versions import FILE, Release, frozen, read_releases
from app.models import Registry

_STEP_NAME = re.compile(r"^(\d\d)-([a-z0-9]+(?:-[a-z0-9]+)*)$")
_LINE_OF_TOML_ERROR = re.compile(r"at line (\d+)")

RESERVED = (
    "api",
    "assign",
    "docs",
    "embed.js",
    "healthz",
    "models",
    "oembed",
    "offline",
    "openapi.json",
    "static",
)
"""Addresses of the site itself."""

END = "end"
"""The address of the page after the last step, which no step can have."""

Facts = TypeVar("Facts", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class Step:
    """One step: its facts, and its prose cut at the markers."""

    number: int
    slug: str
    facts: StepFacts
    before_lab: tuple[Part, ...]
    after_lab: tuple[Part, ...]


@dataclass(frozen=True)
class Outline:
    """A line of the table of contents; `step` is None where there is none to show, and `why` says
    why not.
    """

    number: int
    title: str
    step: Step | None
    why: str = ""


@dataclass(frozen=True, eq=False)
class Lesson:
    """`broken` are steps with a mistake in their files: left out until somebody mends it."""

    slug: str
    facts: LessonFacts
    steps: tuple[Step, ...]
    broken: tuple[Outline, ...] = ()
    releases: Mapping[str, Release] = field(default_factory=dict)

    @property
    def outline(self) -> list[Outline]:
        """Every step in order, written, planned or broken."""
        written = [Outline(step.number, step.facts.title, step) for step in self.steps]
        planned = [
            Outline(step.number, step.title, None, "still to be written")
            for step in self.facts.planned
        ]
        return sorted([*written, *planned, *self.broken], key=lambda line: line.number)

    def after(self, step: Step) -> Step | None:
        """The next step that can be shown, None after the last."""
        return next((each for each in self.steps if each.number > step.number), None)

    def step(self, name: str) -> Step | None:
        """By slug, or by number."""
        return next((s for s in self.steps if name in (s.slug, str(s.number))), None)


@dataclass(frozen=True)
class Library:
    """Everything that can be shown, and what an author must mend."""

    lessons: tuple[Lesson, ...]
    mistakes: tuple[Mistake, ...]


def load_lessons(folder: Path, models: Registry) -> Library:
    """Every lesson under `folder`, checked against the models that it speaks of.

    A file with a mistake takes no other one down: its step is left out and the mistake told.
    """
    lessons: list[Lesson] = []
    mistakes: list[Mistake] = []
    for facts_file in sorted(folder.glob("*/lesson.toml")):
        if lesson := load_lesson(facts_file.parent, models, mistakes):
            lessons.append(lesson)
    if not lessons and not mistakes:
        mistakes.append(Mistake(folder, 1, "no lesson is here: no folder with a lesson.toml"))
    return Library(tuple(lessons), tuple(mistakes))


def load_lesson(folder: Path, models: Registry, mistakes: list[Mistake]) -> Lesson | None:
    """One lesson, None if nothing of it can be shown; what is wrong is added to `mistakes`."""
    facts = _facts(folder / "lesson.toml", LessonFacts, mistakes)
    if facts and (found := list(end_mistakes(folder / "lesson.toml", facts))):
        mistakes += found
        facts = facts.model_copy(update={"end": None})
    if folder.name in RESERVED:
        mistakes.append(Mistake(folder, 1, f"a lesson cannot be named {listed(RESERVED)}"))
        return None
    files = sorted(file for file in folder.glob("*") if file.name not in ("lesson.toml", FILE))
    mistakes += [
        Mistake(file, 1, "is neither the .md nor the .toml of a step")
        for file in files
        if file.suffix not in (".md", ".toml")
    ]
    stems = sorted({file.stem for file in files if file.suffix in (".md", ".toml")})
    if not stems:
        mistakes.append(Mistake(folder, 1, "has no step yet"))
    steps, broken = [], []
    for stem in stems:
        found_here: list[Mistake] = []
        step = _step_or_mistake(folder / stem, models, found_here)
        if step and not found_here:
            steps.append(step)
        elif name := _STEP_NAME.match(stem):
            title = step.facts.title if step else name.group(2).replace("-", " ").capitalize()
            broken.append(Outline(int(name.group(1)), title, None, "being mended"))
        mistakes += found_here
    if not facts or not steps:
        return None
    releases = _releases(folder, mistakes)
    lesson = Lesson(folder.name, facts, tuple(steps), tuple(broken), releases)
    if facts.version is not None and not broken:
        mistakes += _release_mistakes(folder, lesson, models)
    numbers = [line.number for line in lesson.outline]
    if numbers != list(range(1, len(numbers) + 1)):
        mistakes.append(
            Mistake(folder / "lesson.toml", 1, f"steps are numbered {numbers}, not 1, 2, 3 …")
        )
    return lesson


def _releases(folder: Path, mistakes: list[Mistake]) -> dict[str, Release]:
    try:
        return read_releases(folder)
    except ValueError as error:
        mistakes.append(Mistake(folder / FILE, 1, f"cannot be read: {error}"))
        return {}


def _release_mistakes(folder: Path, lesson: Lesson, models: Registry) -> Iterator[Mistake]:
    """Links of the version at hand must go on opening what they opened."""
    version = str(lesson.facts.version)
    now = frozen([(step.slug, step.facts.defaults) for step in lesson.steps], models)
    known = lesson.releases.get(version)
    if known is None:
        message = f"version {version} is not in {FILE} yet: python -m app.lesson --freeze"
        yield Mistake(folder / "lesson.toml", 1, message)
        return
    then = known.model_dump()
    changed = [
        name
        for table, entries in now.model_dump().items()
        for name in sorted(entries.keys() | then[table].keys())
        if entries.get(name) != then[table].get(name)
    ]
    if changed:
        message = (
            f"links of version {version} would open something else: {listed(changed)} changed. Name"
            " another version in lesson.toml, then python -m app.lesson --freeze"
        )
        yield Mistake(folder / "lesson.toml", 1, message)


def _step_or_mistake(stem: Path, models: Registry, mistakes: list[Mistake]) -> Step | None:
    """As `_step`; whatever else a file can do wrong must not take the others down either."""
    try:
        return _step(stem, models, mistakes)
    except Exception as error:
        mistakes.append(Mistake(stem.with_suffix(".toml"), 1, f"cannot be loaded: {error!r}"))
        return None


def _step(stem: Path, models: Registry, mistakes: list[Mistake]) -> Step | None:
    prose_file, facts_file = stem.with_suffix(".md"), stem.with_suffix(".toml")
    name = _STEP_NAME.match(stem.name)
    if not name:
        mistakes.append(Mistake(prose_file, 1, "a step's files are named like 03-some-title.md"))
        return None
    if name.group(2) == END:
        mistakes.append(Mistake(prose_file, 1, f"a step cannot be named {END}"))
    missing = [file for file in (prose_file, facts_file) if not file.is_file()]
    if missing:
        mistakes += [
            Mistake(file, 1, "is missing; a step is a .md and a .toml") for file in missing
        ]
        return None
    prose = _source(prose_file, mistakes)
    facts = _facts(facts_file, StepFacts, mistakes)
    if prose is not None:
        mistakes += prose_mistakes(prose_file, prose)
    if not facts or prose is None:
        return None
    found = list(step_mistakes(facts_file, facts, models))
    mistakes += found or answer_mistakes(facts_file, facts, models)
    try:
        parts = markdown.parts(prose)
    except markdown.FormulaError as error:
        line = prose.count("\n", 0, prose.find(error.latex)) + 1
        mistakes.append(Mistake(prose_file, line, str(error)))
        return None
    kinds = [part.kind for part in parts]
    lab = kinds.index("lab") if "lab" in kinds else len(parts)
    return Step(
        int(name.group(1)), name.group(2), facts, tuple(parts[:lab]), tuple(parts[lab + 1 :])
    )


def _source(file: Path, mistakes: list[Mistake]) -> str | None:
    """A file's text, None if it is not UTF-8."""
    content = file.read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        mistakes.append(Mistake(file, line, "is not UTF-8"))
        return None


def _facts(file: Path, schema: type[Facts], mistakes: list[Mistake]) -> Facts | None:
    source = _source(file, mistakes)
    if source is None:
        return None
    try:
        return schema.model_validate(tomllib.loads(source))
    except tomllib.TOMLDecodeError as error:
        line = _LINE_OF_TOML_ERROR.search(str(error))
        last = len(source.splitlines()) or 1
        mistakes.append(Mistake(file, int(line.group(1)) if line else last, str(error)))
    except ValidationError as error:
        for problem in error.errors():
            place = ".".join(map(str, problem["loc"]))
            line_number = line_of(source, problem["loc"])
            mistakes.append(Mistake(file, line_number, f"{place}: {problem['msg']}"))
    return None
