"""Which NumPy functions a computation calls, and what each of them takes, where it stands.

The code that is watched is the code that runs: what is changed in it changes the profile.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from statistics import median
from time import perf_counter
from typing import TypeVar

import numpy as np

from benchmarks.document import Table
from benchmarks.timing import interleaved

T = TypeVar("T")

REPETITIONS = 200

_notes: list[tuple[str, float]] = []


class Watched(np.ndarray):
    """An array that notes every NumPy function of it, and whose results do the same."""

    def __array_ufunc__(
        self,
        ufunc: np.ufunc,
        method: str,
        *inputs: object,
        out: tuple[np.ndarray, ...] | None = None,
        **options: object,
    ) -> object:
        plain = [_plain(each) for each in inputs]
        options = {name: _plain(value) for name, value in options.items()}
        if out is not None:
            options["out"] = tuple(_plain(each) for each in out)
        function = getattr(ufunc, method)
        begin = perf_counter()
        result = function(*plain, **options)
        _notes.append((_label(ufunc, method, plain), perf_counter() - begin))
        if out is not None:
            return out[0]
        return result.view(Watched) if isinstance(result, np.ndarray) else result


def watched(value: T) -> T:
    """The same value with every array in it watched, in tuples and dataclasses, too."""
    if isinstance(value, np.ndarray):
        return value.view(Watched)
    if isinstance(value, tuple):
        return tuple(watched(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        own = [field.name for field in fields(value) if field.init]
        return replace(value, **{name: watched(getattr(value, name)) for name in own})
    return value


@dataclass(frozen=True)
class Calls:
    """All calls of one NumPy function on arrays of the same shapes, within one computation."""

    label: str
    count: int
    microseconds: float


def calls_of(run: Callable[[], object]) -> list[Calls]:
    """What `run`, whose arrays are watched, calls: medians over repetitions."""
    runs = [_noted(run) for _ in range(REPETITIONS)]
    found: dict[str, list[float]] = {}
    for together in zip(*runs, strict=True):
        seconds = median(seconds for _, seconds in together)
        found.setdefault(together[0][0], []).append(seconds)
    return [Calls(label, len(each), sum(each) * 1e6) for label, each in found.items()]


def profile(title: str, plain: Callable[[], object], run: Callable[[], object]) -> Table:
    """Where the time of `plain` goes; `run` is the same computation on watched arrays."""
    zero = np.zeros(1, np.float32)
    timed = interleaved({"whole": plain, "empty": lambda: np.add(zero, zero, out=zero)})
    whole, empty = timed["whole"].microseconds, timed["empty"].microseconds
    calls = _without_watching(calls_of(run), empty)
    count, within = sum(each.count for each in calls), sum(each.microseconds for each in calls)
    rows = [(each.label, str(each.count), each.microseconds) for each in calls]
    rows.append(("the rest: Python, views, new arrays", "", whole - within))
    return Table(
        title,
        ("NumPy function and shapes", "calls", "µs", "of the whole"),
        tuple((name, n, f"{us:.1f}", f"{100 * us / whole:.0f} %") for name, n, us in rows),
        f"The whole takes {whole:.1f} µs. It calls NumPy {count} times, and a call that has nothing"
        f" to do takes {empty:.2f} µs here: {count * empty:.1f} µs,"
        f" {100 * count * empty / whole:.0f} % of the whole, are calls as such. Calls are timed"
        " where they stand, less what that adds to one that has nothing to do; where it adds more,"
        " the rest comes out below 0.",
    )


def _without_watching(calls: list[Calls], empty: float) -> list[Calls]:
    """Less what watching adds to a call that by itself takes `empty` microseconds."""
    zero = watched(np.zeros(1, np.float32))
    (noted,) = calls_of(lambda: np.add(zero, zero, out=zero))
    added = noted.microseconds - empty
    return [
        replace(each, microseconds=max(0.0, each.microseconds - each.count * added))
        for each in calls
    ]


def _plain(value: object) -> object:
    return value.view(np.ndarray) if isinstance(value, Watched) else value


def _label(ufunc: np.ufunc, method: str, inputs: list[object]) -> str:
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    shapes = [str(each.shape) for each in inputs if isinstance(each, np.ndarray)]
    return f"{name} {' and '.join(shapes)}"


def _noted(run: Callable[[], object]) -> list[tuple[str, float]]:
    _notes.clear()
    run()
    return list(_notes)
