"""Validate the files of a lesson; every issue has a file and a line."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.evaluation.registry import EvaluatedRegistry
from app.lesson import markdown
from app.lesson.acting_links import SenselessLinkError, changed_view
from app.lesson.glossary import GLOSSARY_FILE
from app.lesson.labs import LABS, Controls, Lab
from app.lesson.live_html import acting_params
from app.lesson.markdown import ROLE_PREFIX, ROLES, TERM_PREFIX
from app.lesson.options import Options
from app.lesson.predictions import COMMON_PLACEHOLDERS, PREDICTIONS, PredictionInput
from app.lesson.prose import (
    BLOCKS,
    CONDITIONS,
    DEEPER,
    END,
    MARKERS,
    REQUIRED_MARKERS,
    Marker,
    without_markers,
)
from app.lesson.prose import markers as markers_of
from app.lesson.prose_values import PROSE_PLACEHOLDERS
from app.lesson.schema import Defaults, GlossaryEntry, LessonConfig, Prediction, StepConfig
from app.lesson.selection import Selection
from app.lesson.step_code import EXCERPTS
from app.models import Registry
from app.models.registry import join_with_and
from app.picture.row_values import PARTS

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


@dataclass(frozen=True)
class LinkContext:
    """What the links of a step's texts may lead to.

    glossary: the ids of all terms. selection: the step's default view, on which every link that
    changes the view has to make sense; None if the view itself is wrong.
    """

    glossary: Container[str]
    lab: Lab | None
    selection: Selection | None
    models: Registry

    def problem_with(self, href: str, *, may_act: bool) -> str | None:
        """Return what is wrong with the address of a link, None if nothing is."""
        if href.startswith("?"):
            return self._problem_with_action(href[1:]) if may_act else NO_ACTION_HERE
        if href.startswith("#") and href[1:] not in PARTS:
            return f"there is no part “{href[1:]}” to light; there are {join_with_commas(PARTS)}"
        kind, _, name = href.partition(":")
        if f"{kind}:" == TERM_PREFIX and name not in self.glossary:
            return f"there is no term “{name}” in {GLOSSARY_FILE}"
        if f"{kind}:" == ROLE_PREFIX and name not in ROLES:
            return f"there is no role “{name}”; there are {join_with_commas(ROLES)}"
        return None

    def _problem_with_action(self, query: str) -> str | None:
        params = acting_params(query)
        if not params:
            return f"the link ?{query} changes nothing"
        if self.lab is None or self.selection is None:
            return None
        try:
            changed_view(dict(params), self.selection, Controls(), self.lab, self.models)
        except SenselessLinkError as error:
            return f"the link ?{query} makes no sense: {error}"
        return None


PLAIN_TEXTS = ("choice", "labels", "hidden")
"""Texts of the prediction whose links cannot change the view: buttons, and parts of the lab."""

NO_ACTION_HERE = "a link that changes the view works only in prose and in texts of the prediction"


def link_context(
    config: StepConfig | None, models: Registry, glossary: Container[str]
) -> LinkContext:
    """Return what links may lead to. The config is None if it could not be loaded."""
    lab = LABS.get(config.lab.name) if config else None
    selection = default_selection(config.defaults, models) if config else None
    return LinkContext(glossary, lab, selection, models)


def default_selection(defaults: Defaults, models: Registry) -> Selection | None:
    """Return the selection of a step's defaults, None if there is no such view."""
    if defaults.model not in models:
        return None
    model = models[defaults.model]
    sentence = model.tokenizer.sentence(defaults.text)
    selection = Selection(sentence, model, defaults.layer, defaults.head, defaults.word)
    return None if _out_of_range(selection) else selection


def _out_of_range(selection: Selection) -> list[str]:
    """Return the names of the defaults that do not exist."""
    sentence, card = selection.sentence, selection.model.card
    limits = {
        "text": (len(sentence.tokens) - 1, card.max_tokens),
        "layer": (selection.layer, card.n_layers),
        "head": (selection.head, card.n_heads),
        "word": (selection.word, len(sentence.words)),
    }
    return [name for name, (value, count) in limits.items() if value >= count]


def check_prose(file: Path, prose: str, context: LinkContext) -> Iterator[Issue]:
    """Yield what is wrong with markers, blocks, links and placeholders of a step's prose."""
    for line, message in (*_check_markers(prose), *_check_prose_texts(prose, context)):
        yield Issue(file, line, message)


def _check_markers(prose: str) -> Iterator[tuple[int, str]]:
    markers = markers_of(prose)
    known = (*MARKERS, *BLOCKS, END)
    open_blocks: list[Marker] = []
    for marker in markers:
        if marker.name not in known:
            there_are = join_with_commas(known)
            yield marker.line, f"unknown marker ::{marker.name}; there are {there_are}"
        elif marker.name in BLOCKS:
            if any(each.name in (marker.name, *CONDITIONS) for each in open_blocks):
                yield marker.line, f"::{marker.name} cannot be inside ::{open_blocks[-1].name}"
            open_blocks.append(marker)
        elif marker.name == END and not open_blocks:
            yield marker.line, "::end ends no block"
        elif marker.name == END:
            open_blocks.pop()
        elif marker.name in REQUIRED_MARKERS and open_blocks:
            yield marker.line, f"::{marker.name} cannot be inside ::{open_blocks[-1].name}"
        if (marker.name == DEEPER) != bool(marker.title):
            needs = "needs a title" if marker.name == DEEPER else "has no title"
            yield marker.line, f"::{marker.name} {needs} on its line"
    for marker in open_blocks:
        yield marker.line, f"::{marker.name} is never ended by ::end"
    for name in MARKERS:
        lines = [marker.line for marker in markers if marker.name == name]
        if name in REQUIRED_MARKERS and len(lines) != 1:
            yield lines[-1] if lines else 1, f"::{name} must occur exactly once"
        elif len(lines) > 1:
            yield lines[-1], f"::{name} may occur only once"


def _check_prose_texts(prose: str, context: LinkContext) -> Iterator[tuple[int, str]]:
    text = without_markers(prose)
    for link in markdown.links(text):
        if problem := context.problem_with(link.href, may_act=True):
            yield link.line, problem
    known = join_with_commas(PROSE_PLACEHOLDERS)
    for name, line in markdown.placeholders_with_lines(text):
        if name not in PROSE_PLACEHOLDERS:
            yield line, f"unknown placeholder {{{name}}}; there are {known}"
    for marker in markers_of(prose):
        if markdown.placeholders(marker.title) or any(markdown.links(marker.title)):
            yield marker.line, "a title has neither links nor placeholders"


def _special_links(text: str) -> Iterator[str]:
    """Yield a message for each link that works only in the texts of a step."""
    for link in markdown.links(text):
        if re.match(r"[?#]|term:|role:", link.href):
            yield f"the link {link.href} works only in the texts of a step"


def check_code(file: Path, config: StepConfig, prose: str) -> Iterator[Issue]:
    """Check that the code of the step exists, and that the prose places it."""
    source = file.read_text(encoding="utf-8")
    is_placed = any(marker.name == "code" for marker in markers_of(prose))
    if config.code is None:
        if is_placed:
            yield Issue(file, 1, "::code needs a table [code] with the key show")
        return
    line = line_of(source, ("code", "show"))
    if config.code.show not in EXCERPTS:
        known = join_with_commas(EXCERPTS)
        yield Issue(file, line, f"unknown code “{config.code.show}”; there are {known}")
    elif not is_placed:
        yield Issue(file, line, "the prose does not place the code: ::code")


def check_glossary(
    file: Path, glossary: Mapping[str, GlossaryEntry], used: Container[str] | None
) -> Iterator[Issue]:
    """Yield the terms that are not `used`, unless that is None, and what is wrong with texts."""
    if not glossary:
        return
    source = file.read_text(encoding="utf-8")
    for term, entry in glossary.items():
        line = line_of(source, (term,))
        if used is not None and term not in used:
            yield Issue(file, line, f"no text links to {TERM_PREFIX}{term}")
        for text in filter(None, (entry.definition, entry.name)):
            for message in (*_check_phrase(text, ()), *_special_links(text)):
                yield Issue(file, line, message)


def check_step(file: Path, config: StepConfig, context: LinkContext) -> Iterator[Issue]:
    source = file.read_text(encoding="utf-8")
    yield from _check_models(file, source, config, context.models)
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
        yield from _check_prediction_texts(file, source, config.predict)
    for key_path, text in authored_texts(config):
        for message in _check_phrase(text, _known_placeholders(config, key_path)):
            yield Issue(file, line_of(source, key_path), message)
        for link in markdown.links(text):
            may_act = key_path[0] == "predict" and key_path[1] not in PLAIN_TEXTS
            if problem := context.problem_with(link.href, may_act=may_act):
                yield Issue(file, line_of(source, key_path), problem)
    ids = [option.id for option in config.check.options]
    if len(set(ids)) != len(ids):
        yield Issue(
            file, line_of(source, ("check", "options")), f"ids must differ: {join_with_commas(ids)}"
        )
    if sum(option.right for option in config.check.options) != 1:
        yield Issue(file, line_of(source, ("check",)), "exactly one option must be right = true")


def _check_prediction_texts(file: Path, source: str, predict: Prediction) -> Iterator[Issue]:
    """Yield the reasons and causes that have no text, and the texts that no answer uses."""
    prediction_type = PREDICTIONS[predict.computed_by]
    computed = {
        "reasons": (predict.reasons, prediction_type.reasons),
        "unanswerable": (predict.unanswerable, prediction_type.unanswerable),
    }
    for table, (texts, names) in computed.items():
        line = line_of(source, ("predict", table))
        for name in names:
            if name not in texts:
                yield Issue(file, line, f"predict.{table} has no text for {name}")
        for name in texts:
            if name not in names:
                known = join_with_commas(names) if names else "none"
                message = f"predict.{table} has no {name} here; there are {known}"
                yield Issue(file, line_of(source, ("predict", table, name)), message)


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
    selection = Selection(sentence, model, defaults.layer, defaults.head, defaults.word)
    out_of_range = _out_of_range(selection)
    if out_of_range:
        return [
            Issue(file, line_of(source, ("defaults", name)), f"the default {name} does not exist")
            for name in out_of_range
        ]
    prediction_model = models.model_for_prediction(config.predict.model, model)
    prediction_input = PredictionInput(
        selection.with_model(prediction_model), models, config.predict.options
    )
    prediction_type = PREDICTIONS[config.predict.computed_by]
    question = prediction_type.ask(prediction_input)
    if question.unanswerable:
        message = f"the default sentence has no answer: {question.unanswerable}"
        return [Issue(file, line_of(source, ("predict", "declared")), message)]
    answer = prediction_type.answer(prediction_input)
    issues = [
        Issue(file, line_of(source, ("predict", "labels", name)), f"no answer has the id {name}")
        for name in config.predict.labels
        if name not in (*question.choice_ids, *prediction_type.other_choices)
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
        for message in (*_check_phrase(text, ()), *_special_links(text)):
            yield Issue(file, line_of(source, key_path), message)


def authored_texts(config: StepConfig) -> Iterator[tuple[TomlPath, str]]:
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
