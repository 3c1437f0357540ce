"""The document on speed says what was measured; nothing is timed here."""

from datetime import date

import pytest

from benchmarks.document import (
    REPORT_FILE,
    Part,
    Profile,
    Table,
    all_outcomes,
    goals_table,
    to_markdown,
    to_text,
)
from benchmarks.goals import GOALS, MEMORY, NEW_SENTENCE_RATE, START_TIME, Goal, Outcome, worst

DAY = date(2026, 11, 23)
WHERE = Table("Where the memory goes", ("package", "MB"), (("numpy", "28"),))


def start_part(seconds: float, megabytes: float) -> Part:
    outcomes = Outcome(START_TIME, seconds, "/healthz"), Outcome(MEMORY, megabytes, "200 views")
    table = Table("Starts", ("what", "s"), (("a | b", f"{seconds}"),), "A note.")
    return Part("Start", "How it starts.", (table,), outcomes, (Profile((MEMORY,), WHERE),))


def document_of(*parts: Part) -> str:
    return to_markdown(parts, "A processor.", DAY)


def row_of(goal: Goal, document: str) -> str:
    return next(line for line in document.splitlines() if line.startswith(f"| {goal.name} |"))


def test_a_goal_that_is_met_is_reported_as_met() -> None:
    assert row_of(START_TIME, document_of(start_part(0.5, 100))) == (
        "| Start to the first answer | ≤ 1 s | 0.50 s | /healthz | met |"
    )


def test_a_goal_that_is_missed_says_by_how_much_of_its_limit() -> None:
    assert row_of(MEMORY, document_of(start_part(0.5, 150))).endswith("| missed by 25.0 % |")


def test_a_goal_from_below_is_missed_by_less_than_its_limit() -> None:
    assert Outcome(NEW_SENTENCE_RATE, 9).verdict == "missed by 25.0 %"
    assert Outcome(NEW_SENTENCE_RATE, 12).verdict == "met"


@pytest.mark.parametrize("goal", [START_TIME, NEW_SENTENCE_RATE])
def test_the_limit_itself_is_within_the_goal(goal: Goal) -> None:
    assert Outcome(goal, goal.limit).is_met


def test_of_several_figures_the_one_furthest_from_the_goal_counts() -> None:
    figures = [(0.4, "warm"), (0.9, "cold")]
    assert worst(START_TIME, figures) == Outcome(START_TIME, 0.9, "cold")
    assert worst(NEW_SENTENCE_RATE, figures) == Outcome(NEW_SENTENCE_RATE, 0.4, "warm")


def test_a_goal_of_a_skipped_part_is_not_measured() -> None:
    document = document_of(
        Part("MiniLM", skip_reason="Left out: it is not installed."), start_part(1, 1)
    )
    assert "Left out: it is not installed." in document
    assert row_of(NEW_SENTENCE_RATE, document).endswith(
        "|  | this part was left out | not measured |"
    )


def test_only_the_profiles_of_missed_goals_are_shown() -> None:
    assert WHERE.title not in document_of(start_part(0.5, 100))
    assert "Every goal that was measured is met." in document_of(start_part(0.5, 100))
    missed = document_of(start_part(0.5, 150)).partition("## What the profile shows")[2]
    assert f"- {MEMORY.name}" in missed
    assert f"- {START_TIME.name}" not in missed
    assert f"**{WHERE.title}**\n\n| package | MB |\n| --- | --- |\n| numpy | 28 |" in missed


def test_a_bar_within_a_cell_does_not_end_it() -> None:
    assert "| a \\| b | 0.5 |" in document_of(start_part(0.5, 100))


def test_machine_day_and_command_are_at_the_top() -> None:
    top = document_of().partition("## ")[0]
    assert "`make bench` on 2026-11-23" in top
    assert "A processor." in top


def test_the_terminal_text_has_the_same_figures() -> None:
    terminal_text = to_text(start_part(0.5, 150))
    assert "missed by 25.0 %" in terminal_text
    assert "A note." in terminal_text
    assert "numpy    28" in terminal_text


def test_every_goal_has_a_name_of_its_own_and_a_row() -> None:
    names = [row[0] for row in goals_table(all_outcomes([])).rows]
    assert names == [goal.name for goal in GOALS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.name)
def test_the_committed_document_names_every_goal_and_its_limit(goal: Goal) -> None:
    document = REPORT_FILE.read_text(encoding="utf-8")
    assert row_of(goal, document).startswith(f"| {goal.name} | {goal.limit_text} |")
