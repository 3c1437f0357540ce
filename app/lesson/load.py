"""Lessons from their folders, with every mistake named by file and line."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.lesson import directives
from app.lesson.directives import MARKERS, Part
from app.lesson.labs import LABS
from app.lesson.questions import FIELDS, TRUTHS, Asked
from app.lesson.schema import LessonFacts, StepFacts
from app.models import Registry

_STEP_NAME = re.compile(r"^(\d\d)-([a-z0-9]+(?:-[a-z0-9]+)*)$")
_LINE_OF_TOML_ERROR = re.compile(r"at line (\d+)")

RESERVED = ("api", "docs", "healthz", "models", "openapi.json", "static")
"""Addresses of the site itself."""

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


def load_lessons(folder: Path, models: Registry) -> list[Lesson]:
    """Every lesson under `folder`, checked against the models that it speaks of.

    Raises `BrokenLessonError` with all mistakes at once.
    """
    lessons, mistakes = [], []
    for facts_file in sorted(folder.glob("*/lesson.toml")):
        try:
            lessons.append(load_lesson(facts_file.parent, models))
        except BrokenLessonError as error:
            mistakes += error.mistakes
    if not lessons and not mistakes:
        mistakes.append(Mistake(folder, 1, "no lesson is here: no folder with a lesson.toml"))
    if mistakes:
        raise BrokenLessonError(mistakes)
    return lessons


def load_lesson(folder: Path, models: Registry) -> Lesson:
    """One lesson. Raises `BrokenLessonError`."""
    mistakes: list[Mistake] = []
    if folder.name in RESERVED:
        mistakes.append(Mistake(folder, 1, f"a lesson cannot be named {_listed(RESERVED)}"))
    facts = _facts(folder / "lesson.toml", LessonFacts, mistakes)
    files = sorted(file for file in folder.glob("*") if file.name != "lesson.toml")
    mistakes += [
        Mistake(file, 1, "is neither the .md nor the .toml of a step")
        for file in files
        if file.suffix not in (".md", ".toml")
    ]
    stems = sorted({file.stem for file in files if file.suffix in (".md", ".toml")})
    if not stems:
        mistakes.append(Mistake(folder, 1, "has no step yet"))
    steps = [step for stem in stems if (step := _step(folder / stem, models, mistakes))]
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


def _step(stem: Path, models: Registry, mistakes: list[Mistake]) -> Step | None:
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
    found = list(_step_mistakes(facts_file, facts, models))
    mistakes += found or _answer_mistakes(facts_file, facts, models)
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


def _step_mistakes(file: Path, facts: StepFacts, models: Registry) -> Iterator[Mistake]:
    source = file.read_text(encoding="utf-8")
    yield from _model_mistakes(file, source, facts, models)
    if facts.lab.name not in LABS:
        message = f"unknown lab “{facts.lab.name}”; there are {_listed(LABS)}"
        yield Mistake(file, line_of(source, ("lab", "name")), message)
    if facts.predict.computed_by not in TRUTHS:
        message = f"nothing computes “{facts.predict.computed_by}”; there are {_listed(TRUTHS)}"
        yield Mistake(file, line_of(source, ("predict", "computed_by")), message)
    for place, text in _authored_texts(facts):
        known = set(FIELDS) if place[0] == "predict" else set()
        for field in sorted(directives.fields(text) - known):
            message = f"unknown field {{{field}}}; there are {_listed(FIELDS) if known else 'none'}"
            yield Mistake(file, line_of(source, place), message)
    ids = [option.id for option in facts.check.options]
    if len(set(ids)) != len(ids):
        yield Mistake(file, line_of(source, ("check", "options")), f"ids repeat: {_listed(ids)}")
    if sum(option.right for option in facts.check.options) != 1:
        yield Mistake(file, line_of(source, ("check",)), "exactly one option must be right = true")


def _authored_texts(facts: StepFacts) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Every phrase that is filled in or shown as Markdown, and its place in the file."""
    for name in ("question", "right", "wrong", "reveal"):
        yield ("predict", name), getattr(facts.predict, name)
    yield ("check", "question"), facts.check.question
    for index, option in enumerate(facts.check.options):
        yield ("check", "options", index, "text"), option.text
        yield ("check", "options", index, "feedback"), option.feedback
    for index, citation in enumerate(facts.citations):
        yield ("citations", index, "claim"), citation.claim
        yield ("citations", index, "source"), citation.source


def _model_mistakes(
    file: Path, source: str, facts: StepFacts, models: Registry
) -> Iterator[Mistake]:
    named: dict[tuple[str, str], object] = {
        ("defaults", "model"): facts.defaults.model,
        ("predict", "model"): facts.predict.model,
    }
    if facts.lab.name in LABS:
        needed = LABS[facts.lab.name].model_options
        named |= {("lab", name): facts.lab.options.get(name) for name in needed}
        for name in sorted(set(facts.lab.options) - set(needed)):
            message = f"the lab {facts.lab.name} has no option {name}; it has {_listed(needed)}"
            yield Mistake(file, line_of(source, ("lab", name)), message)
    for place, model in named.items():
        if model not in models:
            message = f"{'.'.join(place)}: no model “{model}”; there are {_listed(models.ids)}"
            yield Mistake(file, line_of(source, place), message)


def _answer_mistakes(file: Path, facts: StepFacts, models: Registry) -> list[Mistake]:
    """On the default sentence the models must answer as the lesson declares."""
    defaults, source = facts.defaults, file.read_text(encoding="utf-8")
    model = models[defaults.model]
    sentence = model.tokenizer.sentence(defaults.text)
    limits = {
        "text": (len(sentence.tokens) - 1, model.card.max_tokens),
        "layer": (defaults.layer, model.card.n_layers),
        "head": (defaults.head, model.card.n_heads),
        "word": (defaults.word, len(sentence.words)),
    }
    beyond = [name for name, (value, count) in limits.items() if value >= count]
    if beyond:
        return [
            Mistake(file, line_of(source, ("defaults", name)), f"the default {name} does not exist")
            for name in beyond
        ]
    asked = Asked(sentence, models[facts.predict.model], defaults.layer, defaults.word)
    answer = TRUTHS[facts.predict.computed_by](asked).answer
    if answer == facts.predict.declared:
        return []
    message = f"declared is {facts.predict.declared}, but the models answer {answer}"
    return [Mistake(file, line_of(source, ("predict", "declared")), message)]


def _listed(names: Iterable[object]) -> str:
    return ", ".join(map(str, names))


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
