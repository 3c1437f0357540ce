"""The guide for authors describes what the code does."""

import re
import tomllib
from pathlib import Path

import pytest

from app.lesson import LABS, PREDICTIONS, load_lessons
from app.lesson.__main__ import freeze
from app.lesson.markdown import ROLES
from app.lesson.predictions import COMMON_PLACEHOLDERS
from app.lesson.prose import BLOCKS, MARKERS, REQUIRED_MARKERS
from app.lesson.prose_values import PROSE_PLACEHOLDERS
from app.lesson.schema import (
    Check,
    CheckOption,
    Citation,
    Code,
    Defaults,
    EndPage,
    GlossaryEntry,
    LessonConfig,
    PlannedStep,
    Prediction,
    RecallQuestion,
    StepConfig,
)
from app.lesson.step_code import EXCERPTS
from app.picture.row_values import PARTS

GUIDE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
GLOSSARY_TOML, STEP_TOML, LESSON_TOML = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
STEP_SCHEMAS = [Defaults, Prediction, Check, CheckOption, Code, Citation, StepConfig]
LESSON_SCHEMAS = [RecallQuestion, EndPage, PlannedStep, LessonConfig]


def table(first_heading):
    """The rows of a table by the names in their first cells, without the first cell."""
    lines = iter(GUIDE.splitlines())
    for line in lines:
        if line.startswith(f"| {first_heading} |"):
            break
    rows = {}
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return rows
        name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        rows[name.strip("`")] = cells
    return rows


def names_in(cell):
    return re.findall(r"`([\w-]+)`", cell)


def test_every_lab_is_listed_with_its_options():
    rows = table("Lab")
    assert set(rows) == set(LABS)
    for name, lab in LABS.items():
        listed, fields = names_in(rows[name][1]), lab.options_type.model_fields
        assert set(fields) <= set(listed)
        assert bool(listed) == bool(fields)


def test_every_prediction_is_listed_with_its_placeholders_and_options():
    rows = table("Prediction")
    assert set(rows) == set(PREDICTIONS)
    for name, prediction_type in PREDICTIONS.items():
        _, *cells = rows[name]
        assert [names_in(cell) for cell in cells] == [
            list(prediction_type.question_placeholders),
            list(prediction_type.placeholders),
            list(prediction_type.choice_placeholders),
            list(prediction_type.options_type.model_fields),
        ]
    assert all(f"`{{{name}}}`" in GUIDE for name in COMMON_PLACEHOLDERS)


def test_every_reason_is_listed_with_its_placeholders():
    rows = table("Reasons of")
    assert set(rows) == {
        name for name, each in PREDICTIONS.items() if each.reasons or each.unanswerable
    }
    for name, (reasons, unanswerable) in rows.items():
        listed = {
            names_in(reason)[0]: tuple(names_in(reason)[1:])
            for reason in filter(None, reasons.split("; "))
        }
        assert listed == dict(PREDICTIONS[name].reasons)
        assert names_in(unanswerable) == list(PREDICTIONS[name].unanswerable)


def test_every_marker_is_listed():
    rows = table("Marker")
    assert set(rows) == {f"::{name}" for name in MARKERS}
    for marker in MARKERS:
        how_often = "once" if marker in REQUIRED_MARKERS else "once or never"
        assert rows[f"::{marker}"][1] == how_often
    blocks = GUIDE.partition("Some markers start a block")[2].partition("Placeholders in prose")[0]
    assert tuple(re.findall(r"^\| `::(\w+)", blocks, re.MULTILINE)) == BLOCKS


def test_every_placeholder_of_prose_is_listed():
    listed = re.findall(r"\{(\w+)\}", " ".join(table("Placeholder")))
    assert sorted(listed) == sorted(PROSE_PLACEHOLDERS)


def test_every_part_role_and_code_is_listed():
    (parts,) = re.findall(r"- Parts are (.*?)\.", GUIDE, re.DOTALL)
    (roles,) = re.findall(r"- Roles are (.*?)\.", GUIDE)
    assert names_in(parts) == list(PARTS)
    assert names_in(roles) == list(ROLES)
    assert list(table("Code")) == list(EXCERPTS)


@pytest.mark.parametrize("schema", [*STEP_SCHEMAS, *LESSON_SCHEMAS, GlossaryEntry])
def test_the_examples_have_every_key(schema):
    example = LESSON_TOML if schema in LESSON_SCHEMAS else STEP_TOML
    if schema is GlossaryEntry:
        example = GLOSSARY_TOML
    for name in schema.model_fields:
        assert re.search(rf"^(# )?(\[+([\w.]+\.)?{name}\b|{name} =)", example, re.MULTILINE), name


def test_the_examples_are_a_lesson_without_issues(tmp_path, models):
    lesson = tmp_path / "my-lesson"
    lesson.mkdir()
    (lesson / "lesson.toml").write_text(LESSON_TOML, encoding="utf-8")
    (lesson / "glossary.toml").write_text(GLOSSARY_TOML, encoding="utf-8")
    (lesson / "01-first-step.toml").write_text(STEP_TOML, encoding="utf-8")
    terms = "".join(f"[{term}](term:{term}) " for term in tomllib.loads(GLOSSARY_TOML))
    links = "[row](?word=2) [keys](#keys) [query](role:query) {word}"
    markers = "".join(f"::{name}\n\n" for name in MARKERS if name != "code")
    prose = f"{terms}{links}\n\n{markers}::deeper More\n\n::own\nOwn.\n::end\n\n::code\n\n::end\n"
    (lesson / "01-first-step.md").write_text(prose, encoding="utf-8")
    freeze(tmp_path, models)
    library = load_lessons(tmp_path, models)
    assert library.issues == ()
    assert [entry.title for entry in library.lessons[0].outline] == [
        "Rows ask, columns answer",
        "Another step",
    ]
