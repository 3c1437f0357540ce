"""Load lessons from their folders and report every issue with its file and line."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.evaluation.registry import EvaluatedRegistry
from app.lesson import prose
from app.lesson.glossary import GLOSSARY_ADAPTER, GLOSSARY_FILE, terms_of
from app.lesson.markdown import TABLE_START, FormulaError
from app.lesson.option_order import ordered_options
from app.lesson.prose import Segment
from app.lesson.reading_time import ReadingTime, reading_time, total_minutes
from app.lesson.schema import CheckOption, GlossaryEntry, LessonConfig, StepConfig
from app.lesson.step_code import EXCERPTS, Excerpt
from app.lesson.validation import (
    Issue,
    authored_texts,
    check_code,
    check_declared_answer,
    check_end_page,
    check_glossary,
    check_prose,
    check_step,
    join_with_commas,
    line_of,
    link_context,
)
from app.lesson.versions import (
    VERSIONS_FILE,
    Version,
    check_versions,
    read_versions,
    snapshot,
)

_STEP_NAME = re.compile(r"^(\d\d)-([a-z0-9]+(?:-[a-z0-9]+)*)$")
_LINE_OF_TOML_ERROR = re.compile(r"at line (\d+)")

RESERVED_SLUGS = (
    "api",
    "assign",
    "docs",
    "embed.js",
    "healthz",
    "models",
    "oembed",
    "offline",
    "openapi.json",
    "playground",
    "static",
)
"""First segments of the paths of the site itself, which no lesson can have."""

END_SLUG = "end"
"""The slug of the page after the last step, which no step can have."""

ConfigT = TypeVar("ConfigT", bound=BaseModel)
ValueT = TypeVar("ValueT")


@dataclass(frozen=True, eq=False)
class Step:
    """One step: its config, and the segments of its prose before and after the lab.

    `check_options` are the options of the check in the order in which they are shown. `terms` are
    the ids of the glossary's terms that its texts link to, in the order of reading.
    """

    number: int
    slug: str
    config: StepConfig
    before_lab: tuple[Segment, ...]
    after_lab: tuple[Segment, ...]
    check_options: tuple[CheckOption, ...]
    terms: tuple[str, ...] = ()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The segments of the prose without the lab."""
        return self.before_lab + self.after_lab

    @cached_property
    def tables(self) -> tuple[Segment, ...]:
        """The prose right after the lab, if it starts with a table: the lab shows it."""
        first = self.after_lab[:1]
        return first if first and first[0].html.startswith(TABLE_START) else ()

    @cached_property
    def live_segments(self) -> tuple[Segment, ...]:
        """The prose that depends on the view, wherever it is."""
        return tuple(segment for segment in prose.flatten(self.segments) if segment.live)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of segments that the step has."""
        return frozenset(segment.kind for segment in prose.flatten(self.segments))

    @property
    def code(self) -> Excerpt | None:
        """The code that `::code` places."""
        return EXCERPTS[self.config.code.show] if self.config.code else None

    @cached_property
    def reading_time(self) -> ReadingTime:
        return reading_time(self.config, self.segments)


@dataclass(frozen=True)
class OutlineEntry:
    """A line of the table of contents.

    `step` is None if the step cannot be shown; `why` then gives the reason. `slug` is that of the
    step's files, empty if there are none.
    """

    number: int
    title: str
    step: Step | None
    why: str = ""
    slug: str = ""


@dataclass(frozen=True, eq=False)
class Lesson:
    """A lesson with the steps that can be shown; `broken` lists those whose files have issues."""

    slug: str
    config: LessonConfig
    steps: tuple[Step, ...]
    broken: tuple[OutlineEntry, ...] = ()
    versions: Mapping[str, Version] = field(default_factory=dict)
    glossary: Mapping[str, GlossaryEntry] = field(default_factory=dict)

    @cached_property
    def minutes(self) -> float:
        """How long all steps take, in halves of a minute."""
        return total_minutes(step.reading_time for step in self.steps)

    @cached_property
    def outline(self) -> list[OutlineEntry]:
        """Every step in order: written, planned or broken."""
        finished = [
            OutlineEntry(step.number, step.config.title, step, slug=step.slug)
            for step in self.steps
        ]
        planned = [
            OutlineEntry(step.number, step.title, None, "still to be written")
            for step in self.config.planned
        ]
        return sorted([*finished, *planned, *self.broken], key=lambda entry: entry.number)

    def before(self, step: Step) -> Step | None:
        """Return the step before, None before the first."""
        return next((each for each in reversed(self.steps) if each.number < step.number), None)

    def after(self, step: Step) -> Step | None:
        """Return the next step that can be shown, None after the last."""
        return next((each for each in self.steps if each.number > step.number), None)

    def step(self, name: str) -> Step | None:
        """Return the step with this slug or number, None if there is none."""
        return next((s for s in self.steps if name in (s.slug, str(s.number))), None)

    def snapshot(self, models: EvaluatedRegistry) -> Version:
        """Return what the current version consists of."""
        return snapshot([(step.slug, step.config) for step in self.steps], models)

    def version_for_link(self, step: Step, requested: str | None) -> str | None:
        """Return the version whose defaults a link to a step may leave out.

        It is the requested one, else the current one; None if neither has recorded the step.
        """
        for name in (requested, self.config.version):
            version = self.versions.get(name or "")
            if version and step.slug in version.steps:
                return name
        return None

    @property
    def unrecorded_steps(self) -> list[Step]:
        """The steps that were added since the current version was recorded."""
        current = self.versions.get(self.config.version or "")
        return [step for step in self.steps if current and step.slug not in current.steps]


@dataclass(frozen=True)
class Library:
    """The lessons that can be shown, and the issues that their authors have to fix."""

    lessons: tuple[Lesson, ...]
    issues: tuple[Issue, ...]


def load_lessons(folder: Path, models: EvaluatedRegistry) -> Library:
    """Return every lesson under `folder`, validated against `models`.

    An issue in one file does not affect the others: the step is left out, and the issue reported.
    """
    lessons: list[Lesson] = []
    issues: list[Issue] = []
    for config_file in sorted(folder.glob("*/lesson.toml")):
        if lesson := load_lesson(config_file.parent, models, issues):
            lessons.append(lesson)
    if not lessons and not issues:
        issues.append(Issue(folder, 1, "there are no lessons here: no folder has a lesson.toml"))
    return Library(tuple(lessons), tuple(issues))


def load_lesson(folder: Path, models: EvaluatedRegistry, issues: list[Issue]) -> Lesson | None:
    """Return a lesson, None if nothing of it can be shown. Append what is wrong to `issues`."""
    config = _load_config(folder / "lesson.toml", LessonConfig, issues)
    if config and (end_page_issues := list(check_end_page(folder / "lesson.toml", config))):
        issues += end_page_issues
        config = config.model_copy(update={"end": None})
    if folder.name in RESERVED_SLUGS:
        names = join_with_commas(RESERVED_SLUGS)
        issues.append(Issue(folder, 1, f"a lesson cannot have a reserved name: {names}"))
        return None
    own_files = ("lesson.toml", GLOSSARY_FILE, VERSIONS_FILE)
    files = sorted(file for file in folder.glob("*") if file.name not in own_files)
    issues += [
        Issue(file, 1, "is neither a .md nor a .toml file of a step")
        for file in files
        if file.suffix not in (".md", ".toml")
    ]
    stems = sorted({file.stem for file in files if file.suffix in (".md", ".toml")})
    if not stems:
        issues.append(Issue(folder, 1, "has no steps"))
    glossary = _load_glossary(folder / GLOSSARY_FILE, issues)
    steps, broken = [], []
    for stem in stems:
        step_issues: list[Issue] = []
        step = _try_load_step(folder / stem, models, glossary, step_issues)
        if step and not step_issues:
            steps.append(step)
        elif name := _STEP_NAME.match(stem):
            title = step.config.title if step else name.group(2).replace("-", " ").capitalize()
            number, slug = int(name.group(1)), name.group(2)
            broken.append(OutlineEntry(number, title, None, "being repaired", slug))
        issues += step_issues
    used_terms = {term for step in steps for term in step.terms}
    issues += check_glossary(folder / GLOSSARY_FILE, glossary, None if broken else used_terms)
    if not config or not steps:
        return None
    versions = _read_versions(folder, issues)
    lesson = Lesson(folder.name, config, tuple(steps), tuple(broken), versions or {}, glossary)
    if versions is not None:
        issues += _check_versions(folder / "lesson.toml", lesson, models)
    numbers = [entry.number for entry in lesson.outline]
    if numbers != list(range(1, len(numbers) + 1)):
        issues.append(
            Issue(folder / "lesson.toml", 1, f"steps are numbered {numbers}, not 1, 2, 3 …")
        )
    return lesson


def _read_versions(folder: Path, issues: list[Issue]) -> dict[str, Version] | None:
    """Return the recorded versions, None if their file is invalid."""
    try:
        return read_versions(folder)
    except ValidationError as error:
        problems = "; ".join(problem["msg"] for problem in error.errors())
        issues.append(Issue(folder / VERSIONS_FILE, 1, f"cannot be read: {problems}"))
        return None


def _check_versions(config_file: Path, lesson: Lesson, models: EvaluatedRegistry) -> list[Issue]:
    messages = check_versions(
        lesson.versions,
        lesson.config.version,
        lesson.snapshot(models),
        [entry.slug for entry in lesson.broken],
    )
    line = line_of(config_file.read_text(encoding="utf-8"), ("version",))
    return [Issue(config_file, line, message) for message in messages]


def _try_load_step(
    stem: Path,
    models: EvaluatedRegistry,
    glossary: Mapping[str, GlossaryEntry],
    issues: list[Issue],
) -> Step | None:
    """Call `_load_step` and turn an unexpected exception into an issue of the step."""
    try:
        return _load_step(stem, models, glossary, issues)
    except Exception as error:
        issues.append(Issue(stem.with_suffix(".toml"), 1, f"cannot be loaded: {error!r}"))
        return None


def _load_step(
    stem: Path,
    models: EvaluatedRegistry,
    glossary: Mapping[str, GlossaryEntry],
    issues: list[Issue],
) -> Step | None:
    prose_file, config_file = stem.with_suffix(".md"), stem.with_suffix(".toml")
    name = _STEP_NAME.match(stem.name)
    if not name:
        issues.append(Issue(prose_file, 1, "a step's files must be named like 03-some-title.md"))
        return None
    number, slug = int(name.group(1)), name.group(2)
    if slug == END_SLUG:
        issues.append(Issue(prose_file, 1, f"a step cannot be named {END_SLUG}"))
    missing = [file for file in (prose_file, config_file) if not file.is_file()]
    if missing:
        issues += [Issue(file, 1, "is missing; a step has a .md and a .toml") for file in missing]
        return None
    text = _read_source(prose_file, issues)
    config = _load_config(config_file, StepConfig, issues)
    context = link_context(config, models, glossary)
    if text is not None:
        issues += check_prose(prose_file, text, context)
    if not config or text is None:
        return None
    issues += check_code(config_file, config, text)
    step_issues = list(check_step(config_file, config, context))
    issues += step_issues or check_declared_answer(config_file, config, models)
    try:
        segments = prose.segments(text)
    except FormulaError as error:
        line = text.count("\n", 0, text.find(error.latex)) + 1
        issues.append(Issue(prose_file, line, str(error)))
        return None
    kinds = [segment.kind for segment in segments]
    lab = kinds.index("lab") if "lab" in kinds else len(segments)
    return Step(
        number,
        slug,
        config,
        before_lab=segments[:lab],
        after_lab=segments[lab + 1 :],
        check_options=ordered_options(config.check.options, stem.parent.name, slug, number),
        terms=terms_of([text, *(phrase for _, phrase in authored_texts(config))]),
    )


def _load_glossary(file: Path, issues: list[Issue]) -> Mapping[str, GlossaryEntry]:
    """Return the terms by their ids; none if the lesson has no glossary, or an invalid one."""
    if not file.is_file():
        return {}
    return _load_toml(file, GLOSSARY_ADAPTER.validate_python, issues) or {}


def _read_source(file: Path, issues: list[Issue]) -> str | None:
    """Return the text of a file, None if it is not UTF-8."""
    content = file.read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        issues.append(Issue(file, line, "is not UTF-8"))
        return None


def _load_config(file: Path, schema: type[ConfigT], issues: list[Issue]) -> ConfigT | None:
    return _load_toml(file, schema.model_validate, issues)


def _load_toml(file: Path, validate: Callable[[Any], ValueT], issues: list[Issue]) -> ValueT | None:
    """Return the validated content of a TOML file, None if it is invalid."""
    source = _read_source(file, issues)
    if source is None:
        return None
    try:
        return validate(tomllib.loads(source))
    except tomllib.TOMLDecodeError as error:
        line = _LINE_OF_TOML_ERROR.search(str(error))
        last = len(source.splitlines()) or 1
        issues.append(Issue(file, int(line.group(1)) if line else last, str(error)))
    except ValidationError as error:
        for problem in error.errors():
            key_path = ".".join(map(str, problem["loc"]))
            line_number = line_of(source, problem["loc"])
            issues.append(Issue(file, line_number, f"{key_path}: {problem['msg']}"))
    return None
