"""Profile the NumPy functions that a computation calls.

The profiled code is the real code, so every change of it changes the profile.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from statistics import median
from time import perf_counter
from typing import TypeVar

import numpy as np

from benchmarks.document import Table
from benchmarks.timing import time_interleaved

T = TypeVar("T")

REPETITIONS = 200

_call_log: list[tuple[str, float]] = []


class ProfiledArray(np.ndarray):
    """An array that records every NumPy function called on it. Its results do the same."""

    def __array_ufunc__(
        self,
        ufunc: np.ufunc,
        method: str,
        *inputs: object,
        out: tuple[np.ndarray, ...] | None = None,
        **options: object,
    ) -> object:
        plain_inputs = [_as_plain_array(each) for each in inputs]
        options = {name: _as_plain_array(value) for name, value in options.items()}
        if out is not None:
            options["out"] = tuple(_as_plain_array(each) for each in out)
        function = getattr(ufunc, method)
        begin = perf_counter()
        result = function(*plain_inputs, **options)
        _call_log.append((_label(ufunc, method, plain_inputs), perf_counter() - begin))
        if out is not None:
            return out[0]
        return result.view(ProfiledArray) if isinstance(result, np.ndarray) else result


def with_profiling(value: T) -> T:
    """Return a copy of a value in which every array is a `ProfiledArray`.

    Arrays inside tuples and dataclasses are replaced, too.
    """
    if isinstance(value, np.ndarray):
        return value.view(ProfiledArray)
    if isinstance(value, tuple):
        return tuple(with_profiling(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        init_fields = [field.name for field in fields(value) if field.init]
        return replace(
            value, **{name: with_profiling(getattr(value, name)) for name in init_fields}
        )
    return value


@dataclass(frozen=True)
class CallStats:
    """All calls of one NumPy function on arrays of the same shapes, within one computation."""

    label: str
    count: int
    microseconds: float


def profile_calls(run: Callable[[], object]) -> list[CallStats]:
    """Return the calls of `run`, whose arrays must be profiled. Times are medians."""
    runs = [_recorded_calls(run) for _ in range(REPETITIONS)]
    seconds_by_label: dict[str, list[float]] = {}
    for repetitions in zip(*runs, strict=True):
        seconds = median(seconds for _, seconds in repetitions)
        seconds_by_label.setdefault(repetitions[0][0], []).append(seconds)
    return [
        CallStats(label, len(each), sum(each) * 1e6) for label, each in seconds_by_label.items()
    ]


def profile(title: str, run: Callable[[], object], profiled_run: Callable[[], object]) -> Table:
    """Return the calls of `run` as a table; `profiled_run` is `run` on profiled arrays."""
    zero = np.zeros(1, np.float32)
    timed = time_interleaved({"whole": run, "empty": lambda: np.add(zero, zero, out=zero)})
    total, empty_call = timed["whole"].microseconds, timed["empty"].microseconds
    calls = _without_profiling_overhead(profile_calls(profiled_run), empty_call)
    count, in_numpy = sum(each.count for each in calls), sum(each.microseconds for each in calls)
    rows = [(each.label, str(each.count), each.microseconds) for each in calls]
    rows.append(("the rest: Python, views, new arrays", "", total - in_numpy))
    return Table(
        title,
        ("NumPy function and shapes", "calls", "µs", "share"),
        tuple((name, n, f"{us:.1f}", f"{100 * us / total:.0f} %") for name, n, us in rows),
        f"The whole takes {total:.1f} µs. It calls NumPy {count} times. A call without any work"
        f" takes {empty_call:.2f} µs here, so calling alone takes {count * empty_call:.1f} µs,"
        f" {100 * count * empty_call / total:.0f} % of the whole. The overhead of the timer, as"
        " measured on an empty call, is subtracted from each call. If the real overhead is larger,"
        " the rest is negative.",
    )


def _without_profiling_overhead(calls: list[CallStats], empty: float) -> list[CallStats]:
    """Subtract the overhead of the timer from each call; an empty call takes `empty` µs."""
    zero = with_profiling(np.zeros(1, np.float32))
    (profiled_call,) = profile_calls(lambda: np.add(zero, zero, out=zero))
    overhead = profiled_call.microseconds - empty
    return [
        replace(each, microseconds=max(0.0, each.microseconds - each.count * overhead))
        for each in calls
    ]


def _as_plain_array(value: object) -> object:
    return value.view(np.ndarray) if isinstance(value, ProfiledArray) else value


def _label(ufunc: np.ufunc, method: str, inputs: list[object]) -> str:
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    shapes = [str(each.shape) for each in inputs if isinstance(each, np.ndarray)]
    return f"{name} {' and '.join(shapes)}"


def _recorded_calls(run: Callable[[], object]) -> list[tuple[str, float]]:
    _call_log.clear()
    run()
    return list(_call_log)
