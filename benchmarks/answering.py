"""Profile responses: the application runs in this process, under cProfile."""

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

WARM_UP_REQUESTS = 20

GROUPS = (
    ("tokens", ("app/models/tokenizer", "/tokenizers/")),
    ("model: attention and the rest of the forward pass", ("app/attention/", "/numpy/")),
    ("figures: SVG and strips", ("app/picture/",)),
    ("labs, predictions, models", ("app/lesson/", "app/models/")),
    ("templates", ("/jinja2/", "/markupsafe/", "/templates/", "app/web/rendering/")),
    ("middleware, view, routes: the rest of app/web", ("app/web/", "app/application", "app/main")),
    ("framework: Starlette, FastAPI, asyncio, the standard library", ("",)),
)
"""Each group, and parts of the names of its files; the first match counts."""

MAX_ROWS = 12
SOURCE_ROOTS = (Path(__file__).parent.parent, *(get_path(name) for name in ("purelib", "stdlib")))

FunctionKey = tuple[str, int, str]
"""File, line, name."""


@dataclass(frozen=True)
class RequestProfile:
    """The time of one response inside the application, and the share of each function."""

    app_microseconds: float
    shares: dict[FunctionKey, float]

    def time_by_group(self, title: str, server_microseconds: float) -> Table:
        """Return the time by group. Every HTTP response takes `server_microseconds` more."""
        by_group = dict.fromkeys((name for name, _ in GROUPS), 0.0)
        for (file, *_), share in self.shares.items():
            by_group[_group(file)] += share * self.app_microseconds
        by_group["uvicorn and sockets"] = server_microseconds
        total = self.app_microseconds + server_microseconds
        return Table(
            title,
            ("spent on", "µs", "share"),
            tuple(
                (name, f"{us:.0f}", f"{100 * us / total:.0f} %") for name, us in by_group.items()
            ),
            f"The application takes {self.app_microseconds:.0f} µs per response, without a socket."
            " The shares are those of cProfile, which overstates small functions. The last row is"
            " the time of the precomputed response.",
        )

    def slowest_functions(self, title: str) -> Table:
        """Return the functions that take most of the time."""
        shares = sorted(self.shares.items(), key=lambda item: -item[1])[:MAX_ROWS]
        rows = [
            (*_name_and_location(function), f"{share * self.app_microseconds:.0f}")
            for function, share in shares
        ]
        return Table(title, ("function", "file", "µs"), tuple(rows))


def profile_requests(requests: Sequence[bytes]) -> RequestProfile:
    """Time the first half of `requests` and profile the second half."""
    half = len(requests) // 2
    asyncio.run(_time_requests(requests[:WARM_UP_REQUESTS]))
    app_microseconds = median(asyncio.run(_time_requests(requests[WARM_UP_REQUESTS:half]))) * 1e6
    profiler = cProfile.Profile()
    profiler.enable()
    asyncio.run(_time_requests(requests[half:]))
    profiler.disable()
    seconds: dict[FunctionKey, float] = {}
    for function, (_, _, self_seconds, _, callers) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        for charged_function, charged_seconds in _charge_time(function, self_seconds, callers):
            seconds[charged_function] = seconds.get(charged_function, 0.0) + charged_seconds
    total_seconds = sum(seconds.values())
    return RequestProfile(
        app_microseconds, {function: part / total_seconds for function, part in seconds.items()}
    )


def _charge_time(
    function: FunctionKey, self_seconds: float, callers: dict[FunctionKey, Any]
) -> list[tuple[FunctionKey, float]]:
    """Return pairs of function and seconds; the time of C functions is charged to their callers."""
    if function[0] != "~" or not callers:
        return [(function, self_seconds)]
    return [(caller, spent[2]) for caller, spent in callers.items()]


def _name_and_location(function: FunctionKey) -> tuple[str, str]:
    """Return name and file, relative to this project or to the folder of packages."""
    file, line, name = function
    for folder in SOURCE_ROOTS:
        file = file.removeprefix(f"{folder}/")
    return f"`{name}`", f"{file}:{line}"


def _group(file: str) -> str:
    return next(name for name, parts in GROUPS if any(part in file for part in parts))


async def _time_requests(requests: Sequence[bytes]) -> list[float]:
    """Return the seconds of each response."""
    return [await _time_request(_asgi_scope(request)) for request in requests]


async def _time_request(scope: dict[str, object]) -> float:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"status {message['status']} for {scope['path']}")

    begin = perf_counter()
    await app(scope, receive, send)  # type: ignore[arg-type]
    return perf_counter() - begin


def _asgi_scope(request: bytes) -> dict[str, object]:
    """Return the ASGI scope that a server makes of a request."""
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
