"""Values of an address, read one by one: what makes no sense becomes a problem in plain words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.models.registry import named

_WHOLE_NUMBER = re.compile(r"(-?)([0-9]+)", re.ASCII)
_LONGEST_NUMBER = 9
_PAIR = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})", re.ASCII)
_SHOWN_OF_A_VALUE = 60
MOST_TOLD = 5


@dataclass(frozen=True)
class Problem:
    """A value that cannot be shown: where it stood, in plain words what is allowed, and what the
    nearest view that works would do.
    """

    name: str
    message: str
    allowed: tuple[str, ...] = ()
    remedy: str = "Open the nearest view that works"


def told(problems: Sequence[Problem]) -> list[Problem]:
    """The first problems as a page lists them, and how many more there are."""
    first, n_more = list(problems[:MOST_TOLD]), len(problems) - MOST_TOLD
    if n_more <= 0:
        return first
    there_is = "is 1 more problem" if n_more == 1 else f"are {n_more:,} more problems"
    return [*first, Problem("", f"There {there_is}.")]


def quoted(value: str) -> str:
    """A value as a message can show it: not too long, and without signs that turn its direction."""
    short = value if len(value) <= _SHOWN_OF_A_VALUE else value[: _SHOWN_OF_A_VALUE - 1] + "…"
    return "".join(sign if sign.isprintable() else "�" for sign in short)


def whole_number(value: str) -> int | None:
    """None if it is no whole number; of one with too many digits only sign and size are kept."""
    found = _WHOLE_NUMBER.fullmatch(value)
    if found and len(value) > _LONGEST_NUMBER:
        return int(f"{found[1]}{'9' * _LONGEST_NUMBER}")
    return int(value) if found else None


def pair(value: str) -> tuple[int, int] | None:
    """Two indices as "2.1", None if it is none."""
    found = _PAIR.fullmatch(value)
    return (int(found[1]), int(found[2])) if found else None


def read_index(
    name: str, query: Mapping[str, str], default: int, count: int, problems: list[Problem]
) -> int:
    """A whole number below `count`; the nearest one if it is another."""
    last = count - 1
    if name not in query:
        return min(default, last)
    value = query[name]
    number = whole_number(value)
    if number is not None and 0 <= number <= last:
        return number
    there_is = f"There is only {name} 0" if count == 1 else f"There are {name}s 0 to {last}"
    message = f"There is no {name} “{quoted(value)}” here. {there_is}."
    problems.append(Problem(name, message, tuple(map(str, range(count)))))
    return max(0, min(default if number is None else number, last))


def read_choice(
    name: str, value: str, allowed: Sequence[str], problems: list[Problem]
) -> str | None:
    if value in allowed:
        return value
    message = f"“{quoted(value)}” is none of the values of {name}. There are {named(allowed)}."
    problems.append(Problem(name, message, tuple(allowed)))
    return None
