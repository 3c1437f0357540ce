"""What the TOML files of a lesson may hold."""

import tomllib

import pytest
from pydantic import ValidationError

from app.lesson.schema import LessonConfig, StepConfig
from tests.lesson.small_lesson import SLUG, SMALL_LESSONS, STEP_1

STEP_FILE, LESSON_FILE = (SMALL_LESSONS / SLUG / name for name in (f"{STEP_1}.toml", "lesson.toml"))


def read(file):
    return tomllib.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("table", ["", "defaults", "predict", "check"])
def test_an_unknown_key_is_rejected(table):
    values = read(STEP_FILE)
    (values[table] if table else values)["colour"] = "green"
    with pytest.raises(ValidationError, match="colour"):
        StepConfig.model_validate(values)


@pytest.mark.parametrize("key", ["title", "objective", "defaults", "lab", "predict"])
def test_a_missing_key_is_rejected(key):
    values = read(STEP_FILE)
    del values[key]
    with pytest.raises(ValidationError, match=key):
        StepConfig.model_validate(values)


def test_other_keys_of_the_lab_are_its_options():
    assert StepConfig.model_validate(read(STEP_FILE)).lab.options == {
        "beside": "headwise-h1",
        "many": "headwise-h8",
    }


@pytest.mark.parametrize("n", [2, 4])
def test_a_check_has_three_options(n):
    values = read(STEP_FILE)
    values["check"]["options"] = (values["check"]["options"] * 2)[:n]
    with pytest.raises(ValidationError, match="options"):
        StepConfig.model_validate(values)


def test_version_end_and_planned_steps_may_be_left_out():
    values = read(LESSON_FILE)
    del values["version"], values["end"]
    config = LessonConfig.model_validate(values)
    assert (config.version, config.end, config.planned) == (None, None, [])


@pytest.mark.parametrize("key", ["title", "summary", "prerequisites"])
def test_the_other_keys_of_a_lesson_may_not(key):
    values = read(LESSON_FILE)
    del values[key]
    with pytest.raises(ValidationError, match=key):
        LessonConfig.model_validate(values)
