"""Validate the files of a lesson; every issue has a file and a line."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.evaluation.registry import EvaluatedRegistry
from app.lesson import markdown
from app.lesson.labs import LABS
from app.lesson.markdown import MARKERS, REQUIRED_MARKERS
from app.lesson.options import Options
from app.lesson.predictions import COMMON_PLACEHOLDERS, PREDICTIONS, PredictionInput
from app.lesson.schema import LessonConfig, StepConfig
from app.lesson.selection import Selection
from app.models import Registry
from app.models.registry import join_with_and

_TABLE = re.compile(r"\s*\[+\s*([\w.-]+)\s*\]")


TomlPath = tuple[int | str, ...]
"""Keys and list indices that lead to a value in a TOML file."""


@dataclass(frozen=True)
class Issue:
    """A mistake in a file of a lesson, which its author has to fix."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def check_prose(file: Path, prose: str) -> Iterator[Issue]:
    markers = markdown.markers(prose)
    for name, line in markers:
        if name not in MARKERS:
            yield Issue(
                file, line, f"unknown marker ::{name}; there are {join_with_commas(MARKERS)}"
            )
    for name in REQUIRED_MARKERS:
        lines = [line for marker, line in markers if marker == name]
        if len(lines) != 1:
            yield Issue(file, lines[-1] if lines else 1, f"::{name} must occur exactly once")


def check_step(file: Path, config: StepConfig, models: Registry) -> Iterator[Issue]:
    source = file.read_text(encoding="utf-8")
    yield from _check_models(file, source, config, models)
    if config.lab.name not in LABS:
        message = f"unknown lab “{config.lab.name}”; there are {join_with_commas(LABS)}"
        yield Issue(file, line_of(source, ("lab", "name")), message)
    else:
        options_type = LABS[config.lab.name].options_type
        yield from _check_options(file, source, ("lab",), options_type, config.lab.options)
    if config.predict.computed_by not in PREDICTIONS:
        known = join_with_commas(PREDICTIONS)
        message = f"unknown prediction “{config.predict.computed_by}”; there are {known}"
        yield Issue(file, line_of(source, ("predict", "computed_by")), message)
    else:
        options_type = PREDICTIONS[config.predict.computed_by].options_type
        values = config.predict.options
        yield from _check_options(file, source, ("predict", "options"), options_type, values)
    for key_path, text in _authored_texts(config):
        for message in _check_phrase(text, _known_placeholders(config, key_path)):
            yield Issue(file, line_of(source, key_path), message)
    ids = [option.id for option in config.check.options]
    if len(set(ids)) != len(ids):
        yield Issue(
            file, line_of(source, ("check", "options")), f"ids must differ: {join_with_commas(ids)}"
        )
    if sum(option.right for option in config.check.options) != 1:
        yield Issue(file, line_of(source, ("check",)), "exactly one option must be right = true")


def _check_options(
    file: Path, source: str, table: TomlPath, options_type: type[Options], values: dict[str, Any]
) -> Iterator[Issue]:
    try:
        options_type.model_validate(values)
    except ValidationError as error:
        for problem in error.errors():
            key_path = (*table, *problem["loc"])
            message = f"{'.'.join(map(str, key_path))}: {problem['msg']}"
            yield Issue(file, line_of(source, key_path), message)


def _check_models(file: Path, source: str, config: StepConfig, models: Registry) -> Iterator[Issue]:
    model_names: dict[tuple[str, str], object] = {
        ("defaults", "model"): config.defaults.model,
    }
    if config.predict.model is not None:
        model_names["predict", "model"] = config.predict.model
    if config.lab.name in LABS:
        for name in LABS[config.lab.name].model_options:
            model_names["lab", name] = config.lab.options.get(name)
    for key_path, model in model_names.items():
        if not isinstance(model, str) or model not in models:
            known = join_with_commas(models.ids)
            message = f"{'.'.join(key_path)}: no model “{model}”; there are {known}"
            yield Issue(file, line_of(source, key_path), message)


def check_declared_answer(file: Path, config: StepConfig, models: EvaluatedRegistry) -> list[Issue]:
    """Check that the models' answer for the default sentence is the declared one."""
    defaults, source = config.defaults, file.read_text(encoding="utf-8")
    model = models[defaults.model]
    sentence = model.tokenizer.sentence(defaults.text)
    limits = {
        "text": (len(sentence.tokens) - 1, model.card.max_tokens),
        "layer": (defaults.layer, model.card.n_layers),
        "head": (defaults.head, model.card.n_heads),
        "word": (defaults.word, len(sentence.words)),
    }
    out_of_range = [name for name, (value, count) in limits.items() if value >= count]
    if out_of_range:
        return [
            Issue(file, line_of(source, ("defaults", name)), f"the default {name} does not exist")
            for name in out_of_range
        ]
    prediction_model = models.model_for_prediction(config.predict.model, model)
    selection = Selection(sentence, model, defaults.layer, defaults.head, defaults.word)
    prediction_input = PredictionInput(
        selection.with_model(prediction_model), models, config.predict.options
    )
    prediction_type = PREDICTIONS[config.predict.computed_by]
    question, answer = (
        prediction_type.ask(prediction_input),
        prediction_type.answer(prediction_input),
    )
    issues = [
        Issue(file, line_of(source, ("predict", "labels", name)), f"no answer has the id {name}")
        for name in config.predict.labels
        if name not in question.choice_ids
    ]
    correct_answers = join_with_and(answer.right)
    if answer.is_tie:
        message = f"{correct_answers} tie; choose defaults with one right answer"
        issues.append(Issue(file, line_of(source, ("predict", "declared")), message))
    if config.predict.declared not in answer.right:
        message = f"declared is {config.predict.declared}, but the models answer {correct_answers}"
        issues.append(Issue(file, line_of(source, ("predict", "declared")), message))
    return issues


def check_end_page(file: Path, config: LessonConfig) -> Iterator[Issue]:
    if not config.end:
        return
    texts: list[tuple[TomlPath, str]] = [
        (("end", "text"), config.end.text),
        (("end", "rewrite"), config.end.rewrite),
    ]
    for index, item in enumerate(config.end.recall):
        texts.append((("end", "recall", index, "question"), item.question))
        texts.append((("end", "recall", index, "answer"), item.answer))
    source = file.read_text(encoding="utf-8")
    for key_path, text in texts:
        for message in _check_phrase(text, ()):
            yield Issue(file, line_of(source, key_path), message)


def _authored_texts(config: StepConfig) -> Iterator[tuple[TomlPath, str]]:
    """Yield every text with placeholders or Markdown, with its path in the file."""
    for name in ("question", "choice", "right", "wrong", "shown", "next", "hidden"):
        if text := getattr(config.predict, name):
            yield ("predict", name), text
    for table in ("labels", "reasons", "unanswerable"):
        for name, text in getattr(config.predict, table).items():
            yield ("predict", table, name), text
    yield ("check", "question"), config.check.question
    for index, option in enumerate(config.check.options):
        yield ("check", "options", index, "text"), option.text
        yield ("check", "options", index, "feedback"), option.feedback
    for index, citation in enumerate(config.citations):
        yield ("citations", index, "claim"), citation.claim
        yield ("citations", index, "source"), citation.source


def _check_phrase(text: str, known: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with a text that may contain the placeholders `known`."""
    allowed = join_with_commas(known) if known else "none"
    for placeholder in sorted(markdown.placeholders(text) - set(known)):
        yield f"unknown placeholder {{{placeholder}}}; there are {allowed}"
    try:
        markdown.render_inline(text)
    except markdown.FormulaError as error:
        yield str(error)


def _known_placeholders(config: StepConfig, key_path: TomlPath) -> Sequence[str]:
    """Return the placeholders that the text at `key_path` may contain."""
    prediction_type = PREDICTIONS.get(config.predict.computed_by)
    if key_path[0] != "predict" or "labels" in key_path or prediction_type is None:
        return ()
    if key_path == ("predict", "choice"):
        return prediction_type.choice_placeholders
    asked = COMMON_PLACEHOLDERS + prediction_type.question_placeholders
    if key_path[1] in ("question", "unanswerable", "hidden"):
        return asked
    if key_path[1] == "reasons":
        reason = prediction_type.reasons.get(str(key_path[2]), ())
        return asked + prediction_type.placeholders + reason
    return asked + prediction_type.placeholders


def line_of(source: str, key_path: TomlPath) -> int:
    """Return the line, counted from 1, where TOML `source` sets `key_path`.

    If it is not set, return the line of the innermost table or key around it.
    """
    lines = source.splitlines()
    start, end = 0, len(lines)
    for index, name in enumerate(key_path):
        if isinstance(name, int):
            continue
        next_key = key_path[index + 1] if index + 1 < len(key_path) else 0
        table_index = next_key if isinstance(next_key, int) else 0
        header = re.compile(
            rf"\s*\[+\s*([\w.-]+\.)?{re.escape(name)}\s*\]|\s*{re.escape(name)}\s*="
        )
        matches = [number for number in range(start, end) if header.match(lines[number])]
        if not matches:
            break
        start = matches[min(table_index, len(matches) - 1)]
        end = min(end, _end_of_table(lines, start))
    return start + 1


def _end_of_table(lines: Sequence[str], start: int) -> int:
    """Return the line after the table that starts at a line, including its subtables."""
    table = _TABLE.match(lines[start])
    if not table:
        return len(lines)
    subtable = re.compile(rf"\s*\[+\s*{re.escape(table.group(1))}\.")
    return next(
        (
            number
            for number in range(start + 1, len(lines))
            if _TABLE.match(lines[number]) and not subtable.match(lines[number])
        ),
        len(lines),
    )


def join_with_commas(names: Iterable[object]) -> str:
    return ", ".join(map(str, names))
