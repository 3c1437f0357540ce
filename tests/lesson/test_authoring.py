"""The guide for authors says what the code does."""

import re
from pathlib import Path

import pytest

from app.lesson import LABS, PREDICTIONS
from app.lesson.markdown import MARKERS, REQUIRED_MARKERS
from app.lesson.predictions import COMMON_PLACEHOLDERS

GUIDE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
CELLS = [[cell.strip() for cell in line.strip("|").split("|")] for line in GUIDE.splitlines()]
ROWS = {row[0].strip("`"): row for row in CELLS if len(row) > 1}


@pytest.mark.parametrize("name", LABS)
def test_every_lab_is_listed_with_its_options(name):
    assert all(f"`{option}`" in ROWS[name][2] for option in LABS[name].options_type.model_fields)


def test_no_lab_and_no_prediction_is_listed_that_does_not_exist():
    listed = [name for name in ROWS if re.fullmatch(r"[a-z]+(?:[-_][a-z]+)*", name)]
    assert set(listed) == set(LABS) | set(PREDICTIONS)


@pytest.mark.parametrize("name", PREDICTIONS)
def test_every_prediction_is_listed_with_its_fields(name):
    _, _, fields, choices, options = ROWS[name]
    assert re.findall(r"\w+", fields) == list(PREDICTIONS[name].placeholders)
    assert re.findall(r"\w+", choices) == list(PREDICTIONS[name].choice_placeholders)
    assert re.findall(r"\w+", options) == list(PREDICTIONS[name].options_type.model_fields)


def test_markers_and_common_fields_are_listed():
    for marker in MARKERS:
        assert ROWS[f"::{marker}"][2] == (
            "once" if marker in REQUIRED_MARKERS else "once or not at all"
        )
    assert all(f"`{{{field}}}`" in GUIDE for field in COMMON_PLACEHOLDERS)
