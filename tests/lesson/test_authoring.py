"""The guide for authors describes what the code does."""

import re
from pathlib import Path

import pytest

from app.lesson import LABS, PREDICTIONS, load_lessons
from app.lesson.__main__ import freeze
from app.lesson.markdown import MARKERS, REQUIRED_MARKERS
from app.lesson.predictions import COMMON_PLACEHOLDERS
from app.lesson.schema import (
    Check,
    CheckOption,
    Citation,
    Defaults,
    EndPage,
    LessonConfig,
    PlannedStep,
    Prediction,
    RecallQuestion,
    StepConfig,
)

GUIDE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
CELLS = [[cell.strip() for cell in line.strip("|").split("|")] for line in GUIDE.splitlines()]
ROWS = {row[0].strip("`"): row for row in CELLS if len(row) > 1}
STEP_TOML, LESSON_TOML = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
SCHEMAS = [
    Defaults,
    Prediction,
    Check,
    CheckOption,
    Citation,
    StepConfig,
    RecallQuestion,
    EndPage,
    PlannedStep,
    LessonConfig,
]


@pytest.mark.parametrize("name", LABS)
def test_every_lab_is_listed_with_its_options(name):
    listed = re.findall(r"`(\w+)`", ROWS[name][2])
    fields = LABS[name].options_type.model_fields
    assert set(fields) <= set(listed)
    assert bool(listed) == bool(fields)


def test_no_lab_and_no_prediction_is_listed_that_does_not_exist():
    listed = [name for name in ROWS if re.fullmatch(r"[a-z]+(?:[-_][a-z]+)*", name)]
    assert set(listed) == set(LABS) | set(PREDICTIONS)


@pytest.mark.parametrize("name", PREDICTIONS)
def test_every_prediction_is_listed_with_its_placeholders_and_options(name):
    _, _, placeholders, choice_placeholders, options = ROWS[name]
    assert re.findall(r"\w+", placeholders) == list(PREDICTIONS[name].placeholders)
    assert re.findall(r"\w+", choice_placeholders) == list(PREDICTIONS[name].choice_placeholders)
    assert re.findall(r"\w+", options) == list(PREDICTIONS[name].options_type.model_fields)


def test_markers_and_common_placeholders_are_listed():
    assert {name for name in ROWS if name.startswith("::")} == {f"::{name}" for name in MARKERS}
    for marker in MARKERS:
        how_often = "once" if marker in REQUIRED_MARKERS else "once or never"
        assert ROWS[f"::{marker}"][2] == how_often
    assert all(f"`{{{name}}}`" in GUIDE for name in COMMON_PLACEHOLDERS)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_examples_have_every_key(schema):
    example = LESSON_TOML if schema in SCHEMAS[-4:] else STEP_TOML
    for name in schema.model_fields:
        assert re.search(rf"^(# )?(\[+([\w.]+\.)?{name}\b|{name} =)", example, re.MULTILINE), name


def test_the_examples_are_a_lesson_without_issues(tmp_path, models):
    lesson = tmp_path / "my-lesson"
    lesson.mkdir()
    (lesson / "lesson.toml").write_text(LESSON_TOML, encoding="utf-8")
    (lesson / "01-first-step.toml").write_text(STEP_TOML, encoding="utf-8")
    prose = "".join(f"::{name}\n\n" for name in MARKERS)
    (lesson / "01-first-step.md").write_text(f"Some prose.\n\n{prose}", encoding="utf-8")
    freeze(tmp_path, models)
    library = load_lessons(tmp_path, models)
    assert library.issues == ()
    assert [entry.title for entry in library.lessons[0].outline] == [
        "Rows ask, columns answer",
        "Another step",
    ]
