"""Measure the time to the first response, the memory, and the time of imports."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

import psutil

from benchmarks.client import full_load
from benchmarks.document import Part, Profile, Table
from benchmarks.goals import MEMORY, START_TIME, worst
from benchmarks.serving import run_server
from benchmarks.timing import Spread
from benchmarks.views import STEPS, fragment_request

ROUNDS = 7
VIEWS = 200
MODULES = ("numpy", "fastapi", "app.main")
MAX_ROWS = 10

ABOUT = f"""The time runs from the start of `uvicorn app.main:app` to its first response with
status 200 on `/healthz`. The starts alternate with those of a server that has only one precomputed
response. Resident memory is measured at that moment, and after {VIEWS} different views of all labs;
1 MB is a million bytes. Imports are timed in new interpreters, without the start of the
interpreter. Importing `app.main` creates the whole application, lessons and models included."""

IMPORT_SCRIPT = """
import json, sys, time
begin = time.perf_counter()
__import__(sys.argv[1])
seconds = time.perf_counter() - begin
import psutil
print(json.dumps([seconds, psutil.Process().memory_info().rss / 1e6]))
"""


@dataclass(frozen=True)
class ServerStart:
    """One start: seconds to the first response, memory at that moment and after many views."""

    seconds: float
    megabytes_after_start: float
    megabytes_after_views: float


@dataclass(frozen=True)
class ImportCost:
    """One import in a new interpreter. `megabytes` is the memory of the whole process."""

    seconds: float
    megabytes: float


def measure() -> Part:
    app_starts, baseline_seconds = measure_starts()
    imports = measure_imports()
    median_start = median(each.seconds for each in app_starts)
    median_memory = median(each.megabytes_after_views for each in app_starts)
    outcomes = (
        worst(START_TIME, [(median_start, "/healthz")]),
        worst(MEMORY, [(median_memory, f"{VIEWS} views")]),
    )
    tables = (_start_table(app_starts, baseline_seconds), _import_table(imports))
    profiles = (Profile((START_TIME, MEMORY), _import_time_by_package()),)
    return Part("Start and memory", ABOUT, tables, outcomes, profiles)


def measure_starts() -> tuple[list[ServerStart], list[float]]:
    """Start the application and the precomputed server in turn.

    Returns the starts of the application, and the seconds of the other server.
    """
    app_starts, baseline_seconds = [], []
    with tempfile.TemporaryDirectory() as scratch:
        body = Path(scratch) / "body"
        body.write_text("ok")
        for number in range(1 + ROUNDS):
            server = _measure_server()
            with run_server("benchmarks.precomputed:app", PRECOMPUTED=str(body)) as precomputed:
                seconds = precomputed.seconds
            if number:  # the first round only fills the file cache
                app_starts.append(server)
                baseline_seconds.append(seconds)
    return app_starts, baseline_seconds


def _measure_server() -> ServerStart:
    numbers = count()
    with run_server("app.main:app") as server:
        process = psutil.Process(server.process_id)
        megabytes_after_start = process.memory_info().rss / 1e6
        requests = [fragment_request(STEPS[n % len(STEPS)], next(numbers)) for n in range(VIEWS)]
        asyncio.run(full_load(server.address, requests, 1))
        return ServerStart(server.seconds, megabytes_after_start, process.memory_info().rss / 1e6)


def measure_imports() -> dict[str, list[ImportCost]]:
    """Import each module in turn, several times."""
    by_module: dict[str, list[ImportCost]] = {module: [] for module in MODULES}
    for _ in range(ROUNDS):
        for module, rounds in by_module.items():
            output = subprocess.check_output([sys.executable, "-c", IMPORT_SCRIPT, module])
            rounds.append(ImportCost(*json.loads(output.splitlines()[-1])))
    return by_module


def _start_table(app_starts: Sequence[ServerStart], baseline_seconds: Sequence[float]) -> Table:
    ratios = [
        each.seconds / other for each, other in zip(app_starts, baseline_seconds, strict=True)
    ]
    rows = (
        (
            "start to the first response, s",
            f"{Spread.from_samples([each.seconds for each in app_starts]):.2f}",
        ),
        ("the same for the precomputed server, s", f"{Spread.from_samples(baseline_seconds):.2f}"),
        ("application/precomputed", f"{Spread.from_samples(ratios):.2f}"),
        (
            "resident memory after the start, MB",
            f"{Spread.from_samples([s.megabytes_after_start for s in app_starts]):.0f}",
        ),
        (
            f"resident memory after {VIEWS} views, MB",
            f"{Spread.from_samples([s.megabytes_after_views for s in app_starts]):.0f}",
        ),
    )
    return Table("", ("", f"median of {len(app_starts)} starts"), rows)


def _import_table(by_module: dict[str, list[ImportCost]]) -> Table:
    rows = tuple(
        (
            f"`import {module}`",
            f"{Spread.from_samples([each.seconds for each in rounds]):.2f}",
            f"{Spread.from_samples([each.megabytes for each in rounds]):.0f}",
        )
        for module, rounds in by_module.items()
    )
    return Table("", ("in a new interpreter", "s", "resident memory of the process, MB"), rows)


def _import_time_by_package() -> Table:
    """Return how long the modules of each package take during one import of app.main."""
    command = [sys.executable, "-X", "importtime", "-c", "import app.main"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    microseconds: dict[str, int] = {}
    for line in output.splitlines():
        self_time, _, module = line.removeprefix("import time:").split("|")
        if self_time.strip().isdecimal():
            package = module.strip().partition(".")[0]
            microseconds[package] = microseconds.get(package, 0) + int(self_time)
    total = sum(microseconds.values())
    slowest = sorted(microseconds.items(), key=lambda item: -item[1])[:MAX_ROWS]
    return Table(
        f"One import of app.main, the {MAX_ROWS} slowest packages, by their own modules",
        ("package", "ms", "of the whole"),
        tuple((name, f"{us / 1e3:.0f}", f"{100 * us / total:.0f} %") for name, us in slowest),
        f"All packages together take {total / 1e3:.0f} ms; -X importtime adds a little to each."
        " app.main itself reads models, lessons and templates.",
    )
