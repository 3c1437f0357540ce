"""Measure throughput and latency of one worker, next to a server with precomputed responses."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks.answering import profile_requests
from benchmarks.client import LoadResult, fetch_once, full_load, one_request_per_second
from benchmarks.document import Part, Profile, Table
from benchmarks.goals import CLASS_P99, NEW_SENTENCE_RATE, REPEATED_RATE, worst
from benchmarks.serving import run_server
from benchmarks.timing import Spread
from benchmarks.views import STEPS, fragment_request, step_request

CONNECTIONS = 8
REQUESTS = 400
ROUNDS = 9
LEARNERS = 200
CLASS_SECONDS = 8
CLASS_ROUNDS = 3
PROFILED_REQUESTS = 400

ABOUT = f"""One worker under uvicorn; client and server run on the same machine.

Full load: {CONNECTIONS} connections request the fragment of the first lab, without compression.
Three variants alternate. The first requests a new sentence of nine tokens each time, the second
requests one sentence again and again. The third gets the same bytes from a server that does
nothing else.

A class: {LEARNERS} learners send one request per second each, with gzip, as browsers do. Each has
its own connection and starts at its own moment. Two requests in three are for a new sentence in
one of the labs; every third opens a step with its default sentence. This runs for {CLASS_SECONDS}
seconds, {CLASS_ROUNDS} times on each server in turn, after one warm-up request of each kind. A
latency starts when the request is due, even if it is sent late. p50 and p99 are medians over the
{CLASS_ROUNDS} rounds, with the range in brackets.

“Client busy” is the share of the time in which the client itself uses a processor. Near 100 %, the
client would be what is measured."""

_sentence_numbers = count()
"""Numbers of sentences that were not requested before."""


@dataclass(frozen=True)
class Contender:
    """Rounds at full load. Rounds of different contenders with the same index alternate."""

    name: str
    loads: list[LoadResult]

    @property
    def rates(self) -> list[float]:
        return [load.requests_per_second for load in self.loads]

    def rate_percent(self, baseline: "Contender") -> Spread:
        """Return the rate in percent of the rate of `baseline`."""
        pairs = zip(self.rates, baseline.rates, strict=True)
        return Spread.from_samples([100 * ours / theirs for ours, theirs in pairs])

    def cells(self, baseline: "Contender") -> tuple[str, ...]:
        share = "" if self is baseline else f"{self.rate_percent(baseline):.1f} %"
        return (
            self.name,
            f"{Spread.from_samples(self.rates):.0f}",
            share,
            *_latency_cells(_merge_loads(self.loads)),
        )


@contextmanager
def servers() -> Iterator[tuple[str, str, float]]:
    """Run both servers. Yields their addresses, and the kilobytes of the precomputed response."""
    with tempfile.TemporaryDirectory() as scratch, run_server("app.main:app") as app_server:
        body = asyncio.run(fetch_once(app_server.address, repeated_request()))
        file = Path(scratch) / "fragment.html"
        file.write_bytes(body)
        with run_server("benchmarks.precomputed:app", PRECOMPUTED=str(file)) as baseline_server:
            yield app_server.address, baseline_server.address, len(body) / 1024


def new_sentence_request() -> bytes:
    return fragment_request(STEPS[0], next(_sentence_numbers))


def repeated_request() -> bytes:
    return fragment_request(STEPS[0], REPEATED_SENTENCE)


REPEATED_SENTENCE = next(_sentence_numbers)


def learner_request(learner: int, second: int) -> bytes:
    """Return the request of a learner in that second."""
    step = STEPS[(learner + second) % len(STEPS)]
    return (
        step_request(step)
        if (learner + second) % 3 == 2
        else fragment_request(step, next(_sentence_numbers), gzip=True)
    )


def measure() -> Part:
    with servers() as (app_address, baseline_address, kilobytes):
        contenders = run_full_load(app_address, baseline_address)
        classes = run_classes({"Headwise": app_address, "precomputed response": baseline_address})
    new_sentences, repeated_sentence, baseline = contenders
    outcomes = (
        worst(REPEATED_RATE, [(repeated_sentence.rate_percent(baseline).median, "first step")]),
        worst(NEW_SENTENCE_RATE, [(new_sentences.rate_percent(baseline).median, "first step")]),
        worst(CLASS_P99, [(median(load.p99 for load in classes["Headwise"]), "all steps")]),
    )
    tables = (_load_table(contenders, kilobytes), _class_table(classes))
    server_microseconds = 1e6 / median(baseline.rates)
    return Part("Server", ABOUT, tables, outcomes, _profiles(server_microseconds))


def run_full_load(app_address: str, baseline_address: str) -> list[Contender]:
    """Measure new sentences, one repeated sentence and precomputed responses, in turn."""
    workloads: dict[str, tuple[str, Callable[[], bytes]]] = {
        "a new sentence each time": (app_address, new_sentence_request),
        "one sentence": (app_address, repeated_request),
        "precomputed": (baseline_address, repeated_request),
    }
    contenders = [Contender(name, []) for name in workloads]
    for number in range(1 + ROUNDS):
        for contender in contenders:
            address, request = workloads[contender.name]
            requests = [request() for _ in range(REQUESTS)]
            load = asyncio.run(full_load(address, requests, CONNECTIONS))
            if number:  # the first round is a warm-up
                contender.loads.append(load)
    return contenders


def run_classes(addresses: dict[str, str]) -> dict[str, list[LoadResult]]:
    """Run the same learners on each server, in turn."""
    warm_up_requests = [
        learner_request(step, second) for step in range(len(STEPS)) for second in range(3)
    ]
    for address in addresses.values():
        asyncio.run(full_load(address, warm_up_requests, 1))
    classes: dict[str, list[LoadResult]] = {name: [] for name in addresses}
    for _ in range(CLASS_ROUNDS):
        for name, address in addresses.items():
            load = asyncio.run(
                one_request_per_second(address, LEARNERS, CLASS_SECONDS, learner_request)
            )
            classes[name].append(load)
    return classes


def _merge_loads(loads: list[LoadResult]) -> LoadResult:
    latencies = [each for load in loads for each in load.latencies]
    return LoadResult(
        median(load.requests_per_second for load in loads),
        latencies,
        median(load.client_busy for load in loads),
    )


def _latency_cells(load: LoadResult) -> tuple[str, ...]:
    return (f"{load.p50:.1f}", f"{load.p99:.1f}", f"{100 * load.client_busy:.0f} %")


def _load_table(contenders: list[Contender], kilobytes: float) -> Table:
    return Table(
        f"At full load, {REQUESTS} requests a round, {kilobytes:.0f} KB each",
        ("requests for", "requests/s", "of precomputed", "p50 ms", "p99 ms", "client busy"),
        tuple(each.cells(contenders[-1]) for each in contenders),
    )


def _class_table(classes: dict[str, list[LoadResult]]) -> Table:
    def ranged(figures: list[float]) -> str:
        return f"{median(figures):.1f} ({min(figures):.1f}–{max(figures):.1f})"

    return Table(
        f"{LEARNERS} learners, one request a second each",
        ("server", "requests", "p50 ms", "p99 ms", "client busy"),
        tuple(
            (
                name,
                str(sum(len(load.latencies) for load in loads)),
                ranged([load.p50 for load in loads]),
                ranged([load.p99 for load in loads]),
                f"{100 * max(load.client_busy for load in loads):.0f} %",
            )
            for name, loads in classes.items()
        ),
    )


def _profiles(server_microseconds: float) -> tuple[Profile, ...]:
    """Profile three kinds of responses, each of which takes `server_microseconds` in the server."""
    workloads = {
        "The fragment of a new sentence": (
            NEW_SENTENCE_RATE,
            [new_sentence_request() for _ in range(PROFILED_REQUESTS)],
        ),
        "The fragment of a repeated sentence": (
            REPEATED_RATE,
            [repeated_request()] * PROFILED_REQUESTS,
        ),
        "The requests of the class": (
            CLASS_P99,
            [learner_request(number, number // len(STEPS)) for number in range(PROFILED_REQUESTS)],
        ),
    }
    profiles = []
    for title, (goal, requests) in workloads.items():
        request_profile = profile_requests(requests)
        tables = (
            request_profile.time_by_group(title, server_microseconds),
            request_profile.slowest_functions(f"{title}: the slowest functions"),
        )
        profiles += [Profile((goal,), table) for table in tables]
    return tuple(profiles)
