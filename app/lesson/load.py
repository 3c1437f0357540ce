"""Lessons from their folders, with every mistake named by file and line."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.lesson import directives
from app.lesson.directives import MARKERS, REQUIRED, Part
from app.lesson.labs import LABS
from app.lesson.questions import FIELDS, TRUTHS, Asked
from app.lesson.schema import LessonFacts, StepFacts
from app.models import Registry
from app.models.registry import named

_STEP_NAME = re.compile(r"^(\d\d)-([a-z0-9]+(?:-[a-z0-9]+)*)$")
_TABLE = re.compile(r"\s*\[+\s*([\w.-]+)\s*\]")
_LINE_OF_TOML_ERROR = re.compile(r"at line (\d+)")

RESERVED = ("api", "docs", "healthz", "models", "openapi.json", "static")
"""Addresses of the site itself."""

END = "end"
"""The address of the page after the last step, which no step can have."""

Facts = TypeVar("Facts", bound=BaseModel)


@dataclass(frozen=True)
class Mistake:
    """Something an author must mend."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


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
    """A line of the table of contents; `step` is None where there is none to show, and `why` says
    why not.
    """

    number: int
    title: str
    step: Step | None
    why: str = ""


@dataclass(frozen=True)
class Lesson:
    """`broken` are steps with a mistake in their files: left out until somebody mends it."""

    slug: str
    facts: LessonFacts
    steps: tuple[Step, ...]
    broken: tuple[Outline, ...] = ()

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
    if facts and (found := list(_end_mistakes(folder / "lesson.toml", facts))):
        mistakes += found
        facts = facts.model_copy(update={"end": None})
    if folder.name in RESERVED:
        mistakes.append(Mistake(folder, 1, f"a lesson cannot be named {_listed(RESERVED)}"))
        return None
    files = sorted(file for file in folder.glob("*") if file.name != "lesson.toml")
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
    lesson = Lesson(folder.name, facts, tuple(steps), tuple(broken))
    numbers = [line.number for line in lesson.outline]
    if numbers != list(range(1, len(numbers) + 1)):
        mistakes.append(
            Mistake(folder / "lesson.toml", 1, f"steps are numbered {numbers}, not 1, 2, 3 …")
        )
    return lesson


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
        mistakes += _prose_mistakes(prose_file, prose)
    if not facts or prose is None:
        return None
    found = list(_step_mistakes(facts_file, facts, models))
    mistakes += found or _answer_mistakes(facts_file, facts, models)
    try:
        parts = directives.parts(prose)
    except directives.FormulaError as error:
        line = prose.count("\n", 0, prose.find(error.latex)) + 1
        mistakes.append(Mistake(prose_file, line, str(error)))
        return None
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
    for name in REQUIRED:
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
    else:
        yield from _option_mistakes(file, source, facts)
    if facts.predict.computed_by not in TRUTHS:
        message = f"nothing computes “{facts.predict.computed_by}”; there are {_listed(TRUTHS)}"
        yield Mistake(file, line_of(source, ("predict", "computed_by")), message)
    for place, text in _authored_texts(facts):
        for message in _phrase_mistakes(text, _fields_known(facts, place)):
            yield Mistake(file, line_of(source, place), message)
    ids = [option.id for option in facts.check.options]
    if len(set(ids)) != len(ids):
        yield Mistake(file, line_of(source, ("check", "options")), f"ids repeat: {_listed(ids)}")
    if sum(option.right for option in facts.check.options) != 1:
        yield Mistake(file, line_of(source, ("check",)), "exactly one option must be right = true")


def _phrase_mistakes(text: str, known: Sequence[str]) -> Iterator[str]:
    """What is wrong with a phrase in which the fields `known` may stand in braces."""
    for field in sorted(directives.fields(text) - set(known)):
        yield f"unknown field {{{field}}}; there are {_listed(known) if known else 'none'}"
    try:
        directives.inline(text)
    except directives.FormulaError as error:
        yield str(error)


def _end_mistakes(file: Path, facts: LessonFacts) -> Iterator[Mistake]:
    if not facts.end:
        return
    texts: list[tuple[tuple[int | str, ...], str]] = [
        (("end", "text"), facts.end.text),
        (("end", "rewrite"), facts.end.rewrite),
    ]
    for index, item in enumerate(facts.end.recall):
        texts.append((("end", "recall", index, "question"), item.question))
        texts.append((("end", "recall", index, "answer"), item.answer))
    source = file.read_text(encoding="utf-8")
    for place, text in texts:
        for message in _phrase_mistakes(text, ()):
            yield Mistake(file, line_of(source, place), message)


def _option_mistakes(file: Path, source: str, facts: StepFacts) -> Iterator[Mistake]:
    try:
        LABS[facts.lab.name].options.model_validate(facts.lab.options)
    except ValidationError as error:
        for problem in error.errors():
            place = ("lab", *problem["loc"])
            message = f"{'.'.join(map(str, place))}: {problem['msg']}"
            yield Mistake(file, line_of(source, place), message)


def _fields_known(facts: StepFacts, place: tuple[int | str, ...]) -> Sequence[str]:
    """What may stand in braces at a place of a step's facts."""
    question = TRUTHS.get(facts.predict.computed_by)
    if place == ("predict", "choice"):
        return question.choice_fields if question else ()
    if place[0] == "predict" and "labels" not in place:
        return FIELDS + (question.fields if question else ())
    return ()


def _authored_texts(facts: StepFacts) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Every phrase that is filled in or shown as Markdown, and its place in the file."""
    for name in ("question", "choice", "right", "wrong", "reveal"):
        yield ("predict", name), getattr(facts.predict, name)
    for name, label in facts.predict.labels.items():
        yield ("predict", "labels", name), label
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
    mentioned: dict[tuple[str, str], object] = {
        ("defaults", "model"): facts.defaults.model,
    }
    if facts.predict.model is not None:
        mentioned["predict", "model"] = facts.predict.model
    if facts.lab.name in LABS:
        for name in LABS[facts.lab.name].model_options:
            mentioned["lab", name] = facts.lab.options.get(name)
    for place, model in mentioned.items():
        if not isinstance(model, str) or model not in models:
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
    asked_model = models[facts.predict.model or defaults.model]
    head = min(defaults.head, asked_model.card.n_heads - 1)
    asked = Asked(sentence, asked_model, defaults.layer, head, defaults.word)
    truth = TRUTHS[facts.predict.computed_by].truth(asked)
    mistakes = [
        Mistake(file, line_of(source, ("predict", "labels", name)), f"no answer is called {name}")
        for name in facts.predict.labels
        if name not in truth.ids
    ]
    if facts.predict.declared not in truth.answers:
        told = named(truth.answers)
        message = f"declared is {facts.predict.declared}, but the models answer {told}"
        mistakes.append(Mistake(file, line_of(source, ("predict", "declared")), message))
    return mistakes


def _listed(names: Iterable[object]) -> str:
    return ", ".join(map(str, names))


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


def line_of(source: str, place: tuple[int | str, ...]) -> int:
    """The line, from 1, where TOML `source` sets `place`; that of the nearest thing around it
    if it is not set at all.
    """
    lines = source.splitlines()
    at, end = 0, len(lines)
    for index, name in enumerate(place):
        if isinstance(name, int):
            continue
        times = place[index + 1] if index + 1 < len(place) else 0
        repeats = times if isinstance(times, int) else 0
        header = re.compile(
            rf"\s*\[+\s*([\w.-]+\.)?{re.escape(name)}\s*\]|\s*{re.escape(name)}\s*="
        )
        hits = [number for number in range(at, end) if header.match(lines[number])]
        if not hits:
            break
        at = hits[min(repeats, len(hits) - 1)]
        end = min(end, _end_of_table(lines, at))
    return at + 1


def _end_of_table(lines: Sequence[str], at: int) -> int:
    """Where the table that begins at a line ends, tables within it included."""
    table = _TABLE.match(lines[at])
    if not table:
        return len(lines)
    within = re.compile(rf"\s*\[+\s*{re.escape(table.group(1))}\.")
    return next(
        (
            number
            for number in range(at + 1, len(lines))
            if _TABLE.match(lines[number]) and not within.match(lines[number])
        ),
        len(lines),
    )
