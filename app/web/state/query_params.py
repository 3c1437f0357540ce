"""Parsing of single query parameters; an invalid value becomes a `Problem`.

The parsers append to a list of problems and return the nearest valid value, so that one request
reports every problem and still has a view to offer.
"""

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
    """An invalid value of the parameter `name`.

    `allowed` lists the valid values if there are few; `fix_label` is the text of the link to the
    nearest valid view.
    """

    name: str
    message: str
    allowed: tuple[str, ...] = ()
    fix_label: str = "Open the nearest view that works"


def first_problems(problems: Sequence[Problem]) -> list[Problem]:
    """Return the first `MAX_LISTED_PROBLEMS` problems, and one that counts the others."""
    first, n_more = list(problems[:MAX_LISTED_PROBLEMS]), len(problems) - MAX_LISTED_PROBLEMS
    if n_more <= 0:
        return first
    there_is = "is 1 more problem" if n_more == 1 else f"are {n_more:,} more problems"
    return [*first, Problem("", f"There {there_is}.")]


def quote_for_message(value: str) -> str:
    """Return a value shortened and without control characters, such as those for text direction."""
    short = value if len(value) <= _MAX_QUOTED_LENGTH else value[: _MAX_QUOTED_LENGTH - 1] + "…"
    return "".join(character if character.isprintable() else "�" for character in short)


def parse_whole_number(value: str) -> int | None:
    """Return the number, None if it is not a whole number.

    One with too many digits becomes ±999999999, which no parameter allows.
    """
    match = _WHOLE_NUMBER.fullmatch(value)
    if match and len(value) > _MAX_DIGITS:
        return int(f"{match[1]}{'9' * _MAX_DIGITS}")
    return int(value) if match else None


def parse_index_pair(value: str) -> tuple[int, int] | None:
    """Return the two indices of "2.1", None if the value has another form."""
    match = _INDEX_PAIR.fullmatch(value)
    return (int(match[1]), int(match[2])) if match else None


def parse_index(
    param: str, query: Mapping[str, str], default: int, count: int, problems: list[Problem]
) -> int:
    """Return the parameter as an index below `count`, clamped to that range if it is outside."""
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
    """Return the value if it is one of `allowed`, else None."""
    if value in allowed:
        return value
    message = (
        f"“{quote_for_message(value)}” is none of the values of {param}."
        f" There are {join_with_and(allowed)}."
    )
    problems.append(Problem(param, message, tuple(allowed)))
    return None
