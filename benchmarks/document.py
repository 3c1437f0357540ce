"""Format the measurements, as text for a terminal and as docs/performance.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.goals import GOALS, Goal, Outcome

REPORT_FILE = Path(__file__).parent.parent / "docs" / "performance.md"
COMMAND = "make bench"

DOCUMENT_TEMPLATE = """# Measured speed

Written by `{command}` on {day}. Each ratio is the median over several rounds, after warm-up
rounds. In each round all contenders run in turn. The brackets give the interquartile range. Ratios
vary less between machines than absolute figures do. T is the number of tokens.

{machine}
"""


class SkippedError(RuntimeError):
    """A part cannot be measured; the message says why."""


NOT_MEASURED = "this part was left out"


@dataclass(frozen=True)
class Table:
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Profile:
    """Where time or memory is spent. It is reported if one of `goals` is missed."""

    goals: tuple[Goal, ...]
    table: Table


@dataclass(frozen=True)
class Part:
    """One part of the run. `description` says what was measured and how.

    `skip_reason` says why nothing was measured; it is empty if the part ran.
    """

    title: str
    description: str = ""
    tables: tuple[Table, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    profiles: tuple[Profile, ...] = ()
    skip_reason: str = ""


def to_markdown(parts: Sequence[Part], machine: str, day: date) -> str:
    """Return the whole document."""
    outcomes = all_outcomes(parts)
    sections = [
        DOCUMENT_TEMPLATE.format(command=COMMAND, day=day, machine=machine),
        _section("Goals", "", [goals_table(outcomes)]),
        *(
            _section(part.title, part.skip_reason or part.description, part.tables)
            for part in parts
        ),
        _section("What the profile shows", *_profiles(parts, outcomes)),
    ]
    return "\n".join(sections)


def all_outcomes(parts: Sequence[Part]) -> list[Outcome]:
    """Return one outcome for each goal, in the order of `GOALS`."""
    by_goal = {outcome.goal: outcome for part in parts for outcome in part.outcomes}
    return [by_goal.get(goal, Outcome(goal, None, NOT_MEASURED)) for goal in GOALS]


def goals_table(outcomes: Sequence[Outcome]) -> Table:
    return Table(
        "",
        ("Goal", "Limit", "Measured, at worst", "Where", "Outcome"),
        tuple(
            (
                outcome.goal.name,
                outcome.goal.limit_text,
                "" if outcome.measured is None else outcome.goal.format_value(outcome.measured),
                outcome.where,
                outcome.verdict,
            )
            for outcome in outcomes
        ),
    )


def _profiles(parts: Sequence[Part], outcomes: Sequence[Outcome]) -> tuple[str, list[Table]]:
    """Return a text that lists the missed goals, and their profiles."""
    missed = [each.goal for each in outcomes if each.measured is not None and not each.is_met]
    if not missed:
        return "Every goal that was measured is met.", []
    names = "\n".join(f"- {goal.name}" for goal in missed)
    tables = [
        profile.table
        for part in parts
        for profile in part.profiles
        if set(profile.goals) & set(missed)
    ]
    return f"These goals were missed:\n\n{names}", tables


def _section(title: str, description: str, tables: Sequence[Table]) -> str:
    blocks = [f"## {title}", description, *(_markdown_table(table) for table in tables)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _markdown_table(table: Table) -> str:
    lines = [
        table.header,
        ("---",) * len(table.header),
        *(tuple(cell.replace("|", "\\|") for cell in row) for row in table.rows),
    ]
    title = f"**{table.title}**\n\n" if table.title else ""
    note = f"\n\n{table.note}" if table.note else ""
    return title + "\n".join(f"| {' | '.join(line)} |" for line in lines) + note


def to_text(part: Part) -> str:
    """Return one part as text for a terminal, with its goals and profiles."""
    tables = [*part.tables, *(profile.table for profile in part.profiles)]
    goals = goals_table(part.outcomes)
    blocks = [part.title.upper(), part.skip_reason or part.description, *map(text_table, tables)]
    return "\n\n".join([*blocks, text_table(goals)] if goals.rows else blocks) + "\n"


def text_table(table: Table) -> str:
    lines = [table.header, *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([*filter(None, [table.title]), *aligned, *filter(None, [table.note])])
