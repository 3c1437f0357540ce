"""How soon the server answers after its start, its memory, and what importing it takes."""

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
from benchmarks.goals import MEMORY, START, worst
from benchmarks.serving import started
from benchmarks.timing import Spread
from benchmarks.views import STEPS, fragment

ROUNDS = 7
VIEWS = 200
MODULES = ("numpy", "fastapi", "app.main")
SHOWN = 10

ABOUT = f"""From the start of the process `uvicorn app.main:app` to its first answer with status 200
on `/healthz`, in turns with a server that has only one precomputed answer; resident memory then,
and after {VIEWS} different views of all labs, in megabytes of a million bytes. Imports are timed in
fresh interpreters, whose own start does not count; importing `app.main` makes the whole
application, lessons and models included."""

IMPORT = """
import json, sys, time
begin = time.perf_counter()
__import__(sys.argv[1])
seconds = time.perf_counter() - begin
import psutil
print(json.dumps([seconds, psutil.Process().memory_info().rss / 1e6]))
"""


@dataclass(frozen=True)
class Server:
    """One start: seconds to the first answer, and megabytes then and after many views."""

    seconds: float
    fresh: float
    used: float


@dataclass(frozen=True)
class Import:
    """In a fresh interpreter, of which `megabytes` is the whole."""

    seconds: float
    megabytes: float


def measured() -> Part:
    ours, floor = starts()
    imports = imported()
    middle = median(each.seconds for each in ours)
    used = median(each.used for each in ours)
    outcomes = (
        worst(START, [(middle, "/healthz")]),
        worst(MEMORY, [(used, f"{VIEWS} views")]),
    )
    tables = (_start_table(ours, floor), _import_table(imports))
    profiles = (Profile((START, MEMORY), _by_package()),)
    return Part("Start and memory", ABOUT, tables, outcomes, profiles)


def starts() -> tuple[list[Server], list[float]]:
    """Of the application, and the seconds of the precomputed server, in turns."""
    ours, floor = [], []
    with tempfile.TemporaryDirectory() as scratch:
        body = Path(scratch) / "body"
        body.write_text("ok")
        for number in range(1 + ROUNDS):
            server = _server()
            with started("benchmarks.precomputed:app", PRECOMPUTED=str(body)) as precomputed:
                seconds = precomputed.seconds
            if number:  # the first round brings the files into memory
                ours.append(server)
                floor.append(seconds)
    return ours, floor


def _server() -> Server:
    numbers = count()
    with started("app.main:app") as server:
        process = psutil.Process(server.process_id)
        fresh = process.memory_info().rss / 1e6
        requests = [fragment(STEPS[n % len(STEPS)], next(numbers)) for n in range(VIEWS)]
        asyncio.run(full_load(server.address, requests, 1))
        return Server(server.seconds, fresh, process.memory_info().rss / 1e6)


def imported() -> dict[str, list[Import]]:
    """Each module in turns."""
    found: dict[str, list[Import]] = {module: [] for module in MODULES}
    for _ in range(ROUNDS):
        for module, rounds in found.items():
            printed = subprocess.check_output([sys.executable, "-c", IMPORT, module])
            rounds.append(Import(*json.loads(printed.splitlines()[-1])))
    return found


def _start_table(ours: Sequence[Server], floor: Sequence[float]) -> Table:
    ratios = [each.seconds / other for each, other in zip(ours, floor, strict=True)]
    rows = (
        ("start to the first answer, s", f"{Spread.of([each.seconds for each in ours]):.2f}"),
        ("the same of the precomputed server, s", f"{Spread.of(floor):.2f}"),
        ("application/precomputed", f"{Spread.of(ratios):.2f}"),
        ("resident memory after the start, MB", f"{Spread.of([s.fresh for s in ours]):.0f}"),
        (f"resident memory after {VIEWS} views, MB", f"{Spread.of([s.used for s in ours]):.0f}"),
    )
    return Table("", ("", f"median of {len(ours)} starts"), rows)


def _import_table(found: dict[str, list[Import]]) -> Table:
    rows = tuple(
        (
            f"`import {module}`",
            f"{Spread.of([each.seconds for each in rounds]):.2f}",
            f"{Spread.of([each.megabytes for each in rounds]):.0f}",
        )
        for module, rounds in found.items()
    )
    return Table("", ("in a fresh interpreter", "s", "resident memory of the process, MB"), rows)


def _by_package() -> Table:
    """What each package's own modules take of one import of app.main."""
    command = [sys.executable, "-X", "importtime", "-c", "import app.main"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    microseconds: dict[str, int] = {}
    for line in printed.splitlines():
        own, _, module = line.removeprefix("import time:").split("|")
        if own.strip().isdecimal():
            package = module.strip().partition(".")[0]
            microseconds[package] = microseconds.get(package, 0) + int(own)
    whole = sum(microseconds.values())
    dearest = sorted(microseconds.items(), key=lambda item: -item[1])[:SHOWN]
    return Table(
        f"One import of app.main, its {SHOWN} dearest packages by their own modules",
        ("package", "ms", "of the whole"),
        tuple((name, f"{us / 1e3:.0f}", f"{100 * us / whole:.0f} %") for name, us in dearest),
        f"All packages together take {whole / 1e3:.0f} ms, which -X importtime makes a little more"
        " than it is. What app.main itself does is to read models, lessons and templates.",
    )
