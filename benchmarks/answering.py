"""Where the time of one answer goes: the application in this process, under cProfile."""

import asyncio
import cProfile
import pstats
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from sysconfig import get_path
from time import perf_counter
from typing import Any

from app.main import app
from benchmarks.document import Table

WARM_UPS = 20

GROUPS = (
    ("tokens", ("app/models/tokens", "/tokenizers/")),
    ("model: attention and the rest of the forward pass", ("app/attention/", "/numpy/")),
    ("pictures: SVG and strips", ("app/picture/",)),
    ("labs, predictions, words about heads", ("app/lesson/", "app/models/")),
    ("templates", ("/jinja2/", "/markupsafe/", "/templates/", "app/web/templating")),
    ("address, view, headers, everything else in app/web", ("app/web/", "app/main")),
    ("framework: Starlette, FastAPI, asyncio, the standard library", ("",)),
)
"""Each group, and what the names of its files contain; the first that fits."""

SHOWN = 12
FOLDERS = (Path(__file__).parent.parent, *(get_path(name) for name in ("purelib", "stdlib")))

Function = tuple[str, int, str]
"""File, line and name."""


@dataclass(frozen=True)
class Answered:
    """Microseconds of an answer within the application, and the parts of them by function."""

    inside: float
    shares: dict[Function, float]

    def by_group(self, title: str, outside: float) -> Table:
        """What they are spent on; `outside` microseconds more are for any answer over HTTP."""
        spent = dict.fromkeys((name for name, _ in GROUPS), 0.0)
        for (file, *_), share in self.shares.items():
            spent[_group(file)] += share * self.inside
        spent["uvicorn and sockets"] = outside
        whole = self.inside + outside
        return Table(
            title,
            ("what for", "µs", "of the whole"),
            tuple((name, f"{us:.0f}", f"{100 * us / whole:.0f} %") for name, us in spent.items()),
            f"The application takes {self.inside:.0f} µs an answer, without a socket; they are"
            " divided in the proportions that cProfile finds, which makes many small functions look"
            " dearer than they are. The last line is what the precomputed answer takes.",
        )

    def dearest(self, title: str) -> Table:
        """The functions that take most."""
        shares = sorted(self.shares.items(), key=lambda item: -item[1])[:SHOWN]
        rows = [(*_written(function), f"{share * self.inside:.0f}") for function, share in shares]
        return Table(title, ("function", "file", "µs"), tuple(rows))


def answered(requests: Sequence[bytes]) -> Answered:
    """The first half of `requests` is timed, the second profiled."""
    half = len(requests) // 2
    asyncio.run(_answers(requests[:WARM_UPS]))
    inside = median(asyncio.run(_answers(requests[WARM_UPS:half]))) * 1e6
    profiler = cProfile.Profile()
    profiler.enable()
    asyncio.run(_answers(requests[half:]))
    profiler.disable()
    seconds: dict[Function, float] = {}
    for function, (_, _, own, _, callers) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        for spender, part in _spent_by(function, own, callers):
            seconds[spender] = seconds.get(spender, 0.0) + part
    whole = sum(seconds.values())
    return Answered(inside, {function: part / whole for function, part in seconds.items()})


def _spent_by(
    function: Function, own: float, callers: dict[Function, Any]
) -> list[tuple[Function, float]]:
    """Functions and seconds: one written in C, which has no file, works for its callers."""
    if function[0] != "~" or not callers:
        return [(function, own)]
    return [(caller, spent[2]) for caller, spent in callers.items()]


def _written(function: Function) -> tuple[str, str]:
    """Name and file, the latter as seen from this project or from where packages lie."""
    file, line, name = function
    for folder in FOLDERS:
        file = file.removeprefix(f"{folder}/")
    return f"`{name}`", f"{file}:{line}"


def _group(file: str) -> str:
    return next(name for name, parts in GROUPS if any(part in file for part in parts))


async def _answers(requests: Sequence[bytes]) -> list[float]:
    """Seconds of each."""
    return [await _answer(_scope(request)) for request in requests]


async def _answer(scope: dict[str, object]) -> float:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"status {message['status']} for {scope['path']}")

    begin = perf_counter()
    await app(scope, receive, send)  # type: ignore[arg-type]
    return perf_counter() - begin


def _scope(request: bytes) -> dict[str, object]:
    """What a server makes of a request."""
    first, *headers = request.decode().strip().split("\r\n")
    path, _, query = first.split(" ")[1].partition("?")
    pairs = [header.lower().split(": ", 1) for header in headers]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in pairs],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
