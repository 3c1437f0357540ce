"""Values of an address, read one by one: what makes no sense becomes a problem in plain words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.models.registry import join_with_and

_WHOLE_NUMBER = re.compile(r"(-?)([0-9]+)", re.ASCII)
_MAX_DIGITS = 9
_INDEX_PAIR = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})", re.ASCII)
_MAX_QUOTED_LENGTH = 60
MAX_LISTED_PROBLEMS = 5


@dataclass(frozen=True)
class Problem:
    """A value that cannot be shown: where it stood, in plain words what is allowed, and what the
    nearest view that works would do.
    """

    name: str
    message: str
    allowed: tuple[str, ...] = ()
    fix_label: str = "Open the nearest view that works"


def first_problems(problems: Sequence[Problem]) -> list[Problem]:
    """The first problems as a page lists them, and how many more there are."""
    first, n_more = list(problems[:MAX_LISTED_PROBLEMS]), len(problems) - MAX_LISTED_PROBLEMS
    if n_more <= 0:
        return first
    there_is = "is 1 more problem" if n_more == 1 else f"are {n_more:,} more problems"
    return [*first, Problem("", f"There {there_is}.")]


def quote_for_message(value: str) -> str:
    """A value as a message can show it: not too long, and without signs that turn its direction."""
    short = value if len(value) <= _MAX_QUOTED_LENGTH else value[: _MAX_QUOTED_LENGTH - 1] + "…"
    return "".join(character if character.isprintable() else "�" for character in short)


def parse_whole_number(value: str) -> int | None:
    """None if it is no whole number; of one with too many digits only sign and size are kept."""
    match = _WHOLE_NUMBER.fullmatch(value)
    if match and len(value) > _MAX_DIGITS:
        return int(f"{match[1]}{'9' * _MAX_DIGITS}")
    return int(value) if match else None


def parse_index_pair(value: str) -> tuple[int, int] | None:
    """Two indices as "2.1", None if it is none."""
    match = _INDEX_PAIR.fullmatch(value)
    return (int(match[1]), int(match[2])) if match else None


def parse_index(
    param: str, query: Mapping[str, str], default: int, count: int, problems: list[Problem]
) -> int:
    """A whole number below `count`; the nearest one if it is another."""
    last = count - 1
    if param not in query:
        return min(default, last)
    value = query[param]
    number = parse_whole_number(value)
    if number is not None and 0 <= number <= last:
        return number
    there_is = f"There is only {param} 0" if count == 1 else f"There are {param}s 0 to {last}"
    message = f"There is no {param} “{quote_for_message(value)}” here. {there_is}."
    problems.append(Problem(param, message, tuple(map(str, range(count)))))
    return max(0, min(default if number is None else number, last))


def parse_choice(
    param: str, value: str, allowed: Sequence[str], problems: list[Problem]
) -> str | None:
    if value in allowed:
        return value
    message = (
        f"“{quote_for_message(value)}” is none of the values of {param}."
        f" There are {join_with_and(allowed)}."
    )
    problems.append(Problem(param, message, tuple(allowed)))
    return None
