"""Requests a second and how long they take: one worker, beside the same bytes precomputed."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks.answering import answered
from benchmarks.client import Load, answer, full_load, once_a_second
from benchmarks.document import Part, Profile, Table
from benchmarks.goals import CLASS_P99, LIVE_RATE, REPEATED_RATE, worst
from benchmarks.serving import started
from benchmarks.timing import Spread
from benchmarks.views import STEPS, fragment, opened

CONNECTIONS = 8
REQUESTS = 400
ROUNDS = 9
LEARNERS = 200
SECONDS = 8
LESSONS = 3
PROFILED = 400

ABOUT = f"""One worker under uvicorn, client and server on the same machine. At full load,
{CONNECTIONS} connections ask for the fragment of the first step's lab, in turns: a new sentence of
nine tokens each time, one sentence over and over, and the second one's bytes from a server that has
nothing but them. Nothing is compressed there. Then {LEARNERS} learners, each with a connection and
a rhythm of their own, ask once a second, as browsers do with gzip: two requests in three are for a
sentence not asked for before, in each of the labs, every third opens a step as the lesson has it.
They do so for {SECONDS} seconds {LESSONS} times over, in turns at both servers, after each of the
requests' kinds has been asked for once. Their times count from when a request was due; of p50 and
p99 the median of the {LESSONS} rounds is what counts, and their range stands in brackets. “Client
busy” is the part of the time that the client itself needs a processor: near 100 %, it would be what
is measured."""

_new = count()
"""Sentences never asked for before, by their number."""


@dataclass(frozen=True)
class Contender:
    """Rounds at full load, which belong together with those of the others."""

    name: str
    loads: list[Load]

    @property
    def rates(self) -> list[float]:
        return [load.rate for load in self.loads]

    def share(self, of: "Contender") -> Spread:
        """Of the other's rate, in percent."""
        pairs = zip(self.rates, of.rates, strict=True)
        return Spread.of([100 * ours / theirs for ours, theirs in pairs])

    def cells(self, floor: "Contender") -> tuple[str, ...]:
        share = "" if self is floor else f"{self.share(floor):.1f} %"
        return (self.name, f"{Spread.of(self.rates):.0f}", share, *_latencies(_joined(self.loads)))


@contextmanager
def servers() -> Iterator[tuple[str, str, float]]:
    """The addresses of application and precomputed answer, and the kilobytes of the latter."""
    with tempfile.TemporaryDirectory() as scratch, started("app.main:app") as live:
        body = asyncio.run(answer(live.address, repeated()))
        file = Path(scratch) / "fragment.html"
        file.write_bytes(body)
        with started("benchmarks.precomputed:app", PRECOMPUTED=str(file)) as floor:
            yield live.address, floor.address, len(body) / 1024


def new() -> bytes:
    return fragment(STEPS[0], next(_new))


def repeated() -> bytes:
    return fragment(STEPS[0], REPEATED)


REPEATED = next(_new)


def classroom(learner: int, second: int) -> bytes:
    """What a learner asks for in that second."""
    step = STEPS[(learner + second) % len(STEPS)]
    return opened(step) if (learner + second) % 3 == 2 else fragment(step, next(_new), gzip=True)


def measured() -> Part:
    with servers() as (live, floor, kilobytes):
        contenders = at_full_load(live, floor)
        classes = classes_at({"Headwise": live, "precomputed answer": floor})
    new_rate, repeated_rate, floor_rate = contenders
    outcomes = (
        worst(REPEATED_RATE, [(repeated_rate.share(floor_rate).middle, "first step")]),
        worst(LIVE_RATE, [(new_rate.share(floor_rate).middle, "first step")]),
        worst(CLASS_P99, [(median(load.p99 for load in classes["Headwise"]), "all steps")]),
    )
    tables = (_load_table(contenders, kilobytes), _class_table(classes))
    outside = 1e6 / median(floor_rate.rates)
    return Part("Server", ABOUT, tables, outcomes, _profiles(outside))


def at_full_load(live: str, floor: str) -> list[Contender]:
    """The application with new sentences and with one, and the floor, in turns."""
    asked: dict[str, tuple[str, Callable[[], bytes]]] = {
        "a new sentence each time": (live, new),
        "one sentence": (live, repeated),
        "precomputed": (floor, repeated),
    }
    contenders = [Contender(name, []) for name in asked]
    for number in range(1 + ROUNDS):
        for contender in contenders:
            address, request = asked[contender.name]
            requests = [request() for _ in range(REQUESTS)]
            load = asyncio.run(full_load(address, requests, CONNECTIONS))
            if number:  # the first round is a warm-up
                contender.loads.append(load)
    return contenders


def classes_at(addresses: dict[str, str]) -> dict[str, list[Load]]:
    """Rounds of the same learners at each server, in turns."""
    kinds = [classroom(step, second) for step in range(len(STEPS)) for second in range(3)]
    for address in addresses.values():
        asyncio.run(full_load(address, kinds, 1))
    classes: dict[str, list[Load]] = {name: [] for name in addresses}
    for _ in range(LESSONS):
        for name, address in addresses.items():
            load = asyncio.run(once_a_second(address, LEARNERS, SECONDS, classroom))
            classes[name].append(load)
    return classes


def _joined(loads: list[Load]) -> Load:
    seconds = [each for load in loads for each in load.seconds]
    return Load(median(load.rate for load in loads), seconds, median(load.busy for load in loads))


def _latencies(load: Load) -> tuple[str, ...]:
    return (f"{load.p50:.1f}", f"{load.p99:.1f}", f"{100 * load.busy:.0f} %")


def _load_table(contenders: list[Contender], kilobytes: float) -> Table:
    return Table(
        f"At full load, {REQUESTS} requests a round, {kilobytes:.0f} KB each",
        ("asked for", "requests/s", "of precomputed", "p50 ms", "p99 ms", "client busy"),
        tuple(each.cells(contenders[-1]) for each in contenders),
    )


def _class_table(classes: dict[str, list[Load]]) -> Table:
    def ranged(figures: list[float]) -> str:
        return f"{median(figures):.1f} ({min(figures):.1f}–{max(figures):.1f})"

    return Table(
        f"{LEARNERS} learners, one request a second each",
        ("server", "requests", "p50 ms", "p99 ms", "client busy"),
        tuple(
            (
                name,
                str(sum(len(load.seconds) for load in loads)),
                ranged([load.p50 for load in loads]),
                ranged([load.p99 for load in loads]),
                f"{100 * max(load.busy for load in loads):.0f} %",
            )
            for name, loads in classes.items()
        ),
    )


def _profiles(outside: float) -> tuple[Profile, ...]:
    """What answers are made of; `outside` microseconds of each are not Headwise's own."""
    asked = {
        "The fragment of a new sentence": (LIVE_RATE, [new() for _ in range(PROFILED)]),
        "The same fragment again": (REPEATED_RATE, [repeated()] * PROFILED),
        "What the learners ask for": (
            CLASS_P99,
            [classroom(number, number // len(STEPS)) for number in range(PROFILED)],
        ),
    }
    profiles = []
    for title, (goal, requests) in asked.items():
        found = answered(requests)
        tables = found.by_group(title, outside), found.dearest(f"{title}: the dearest functions")
        profiles += [Profile((goal,), table) for table in tables]
    return tuple(profiles)
