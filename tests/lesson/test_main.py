"""The command that checks lessons."""

import subprocess
import sys

import pytest

from tests.lesson.small_lesson import SLUG, STEP_1, STEP_2, add_lesson, edit_step, read_recorded


def run_command(*arguments):
    command = [sys.executable, "-m", "app.lesson", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, text=True)


@pytest.mark.parametrize("n_lessons", [1, 2])
def test_it_counts_the_steps_that_have_no_issue(folder, n_lessons):
    if n_lessons > 1:
        add_lesson(folder)
    outcome = run_command(folder)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout == f"Lessons: {n_lessons}. Steps without issues: {2 * n_lessons}.\n"


def test_it_reports_every_issue_and_fails(folder):
    line = edit_step(folder, f"{STEP_1}.toml", "layer = 0", "layer = -1")
    outcome = run_command(folder)
    assert outcome.returncode == 1
    assert f"{STEP_1}.toml:{line}: defaults.layer" in outcome.stderr
    assert "Steps without issues: 1." in outcome.stdout


def test_it_freezes_before_it_checks(folder):
    edit_step(folder, "lesson.toml", 'version = "1"', 'version = "2"')
    edit_step(folder, f"{STEP_2}.toml", "layer = 1", "layer = 0")
    assert run_command(folder).returncode == 1
    assert run_command(folder, "--freeze").returncode == 0
    assert read_recorded(folder, SLUG)["2"]["steps"]["shared-keys"]["layer"] == 0
