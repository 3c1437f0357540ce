"""What can be wrong with a lesson's files, by file and line."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.lesson import markdown
from app.lesson.labs import LABS
from app.lesson.markdown import MARKERS, REQUIRED
from app.lesson.options import Options
from app.lesson.predictions import FIELDS, TRUTHS, Asked
from app.lesson.schema import LessonFacts, StepFacts
from app.models import Registry
from app.models.registry import named

_TABLE = re.compile(r"\s*\[+\s*([\w.-]+)\s*\]")


Place = tuple[int | str, ...]
"""Where something is set in a TOML file: names of tables, indices of lists."""


@dataclass(frozen=True)
class Mistake:
    """Something an author must mend."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def prose_mistakes(file: Path, prose: str) -> Iterator[Mistake]:
    found = markdown.markers(prose)
    for name, line in found:
        if name not in MARKERS:
            yield Mistake(file, line, f"unknown marker ::{name}; there are {listed(MARKERS)}")
    for name in REQUIRED:
        lines = [line for marker, line in found if marker == name]
        if len(lines) != 1:
            yield Mistake(
                file, lines[-1] if lines else 1, f"::{name} must stand in it exactly once"
            )


def step_mistakes(file: Path, facts: StepFacts, models: Registry) -> Iterator[Mistake]:
    source = file.read_text(encoding="utf-8")
    yield from _model_mistakes(file, source, facts, models)
    if facts.lab.name not in LABS:
        message = f"unknown lab “{facts.lab.name}”; there are {listed(LABS)}"
        yield Mistake(file, line_of(source, ("lab", "name")), message)
    else:
        options = LABS[facts.lab.name].options
        yield from _option_mistakes(file, source, ("lab",), options, facts.lab.options)
    if facts.predict.computed_by not in TRUTHS:
        message = f"nothing computes “{facts.predict.computed_by}”; there are {listed(TRUTHS)}"
        yield Mistake(file, line_of(source, ("predict", "computed_by")), message)
    else:
        options = TRUTHS[facts.predict.computed_by].options
        given = facts.predict.options
        yield from _option_mistakes(file, source, ("predict", "options"), options, given)
    for place, text in _authored_texts(facts):
        for message in _phrase_mistakes(text, _fields_known(facts, place)):
            yield Mistake(file, line_of(source, place), message)
    ids = [option.id for option in facts.check.options]
    if len(set(ids)) != len(ids):
        yield Mistake(file, line_of(source, ("check", "options")), f"ids repeat: {listed(ids)}")
    if sum(option.right for option in facts.check.options) != 1:
        yield Mistake(file, line_of(source, ("check",)), "exactly one option must be right = true")


def _option_mistakes(
    file: Path, source: str, table: Place, options: type[Options], given: dict[str, Any]
) -> Iterator[Mistake]:
    try:
        options.model_validate(given)
    except ValidationError as error:
        for problem in error.errors():
            place = (*table, *problem["loc"])
            message = f"{'.'.join(map(str, place))}: {problem['msg']}"
            yield Mistake(file, line_of(source, place), message)


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
            message = f"{'.'.join(place)}: no model “{model}”; there are {listed(models.ids)}"
            yield Mistake(file, line_of(source, place), message)


def answer_mistakes(file: Path, facts: StepFacts, models: Registry) -> list[Mistake]:
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
    asked_model = models.asked(facts.predict.model, model)
    head = min(defaults.head, asked_model.card.n_heads - 1)
    asked = Asked(sentence, asked_model, defaults.layer, head, defaults.word, facts.predict.options)
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


def end_mistakes(file: Path, facts: LessonFacts) -> Iterator[Mistake]:
    if not facts.end:
        return
    texts: list[tuple[Place, str]] = [
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


def _authored_texts(facts: StepFacts) -> Iterator[tuple[Place, str]]:
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


def _phrase_mistakes(text: str, known: Sequence[str]) -> Iterator[str]:
    """What is wrong with a phrase in which the fields `known` may stand in braces."""
    for field in sorted(markdown.fields(text) - set(known)):
        yield f"unknown field {{{field}}}; there are {listed(known) if known else 'none'}"
    try:
        markdown.inline(text)
    except markdown.FormulaError as error:
        yield str(error)


def _fields_known(facts: StepFacts, place: Place) -> Sequence[str]:
    """What may stand in braces at a place of a step's facts."""
    question = TRUTHS.get(facts.predict.computed_by)
    if place == ("predict", "choice"):
        return question.choice_fields if question else ()
    if place[0] == "predict" and "labels" not in place:
        return FIELDS + (question.fields if question else ())
    return ()


def line_of(source: str, place: Place) -> int:
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


def listed(names: Iterable[object]) -> str:
    return ", ".join(map(str, names))
