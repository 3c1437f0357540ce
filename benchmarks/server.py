"""Requests a second of the lab fragment, live and repeated, against the same bytes precomputed; one
worker.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from tests.serving import serving

PATH = "/multi-head-attention/why-one-head-is-not-enough"
CONNECTIONS = 8
REQUESTS = 400
ROUNDS = 5
VERBS = ("saw", "heard", "met", "left", "found", "lost", "took", "held", "knew", "had")
WORDS = ("cat", "dog", "bird", "child", "man", "woman", "king", "ship", "horse", "tree")


def sentence(number: int) -> str:
    """A sentence of nine tokens, a different one for each number up to ten thousand."""
    a, b, c = (WORDS[number // power % 10] for power in (1, 10, 100))
    return f"The {a} {VERBS[number // 1000 % 10]} a {b} near the {c}."


def request(number: int) -> bytes:
    query = urlencode({"text": sentence(number), "model": "headwise-h4", "layer": 0, "word": 1})
    return (
        f"GET {PATH}?{query} HTTP/1.1\r\nHost: localhost\r\n"
        "HX-Request: true\r\nHX-Request-Type: partial\r\n\r\n"
    ).encode()


async def _ask(address: str, numbers: Sequence[int]) -> list[float]:
    """Seconds of each request, one after the other on one connection."""
    server = urlsplit(address)
    reader, writer = await asyncio.open_connection(server.hostname, server.port)
    seconds = []
    for number in numbers:
        begin = perf_counter()
        writer.write(request(number))
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        seconds.append(perf_counter() - begin)
    writer.close()
    return seconds


async def _load(address: str, numbers: Sequence[int]) -> tuple[float, list[float]]:
    """Requests a second, and each one's seconds."""
    begin = perf_counter()
    answers = await asyncio.gather(
        *(_ask(address, numbers[at::CONNECTIONS]) for at in range(CONNECTIONS))
    )
    return len(numbers) / (perf_counter() - begin), [s for each in answers for s in each]


def report() -> None:
    print(f"Lab fragment over HTTP, 1 worker, {CONNECTIONS} connections")
    with tempfile.TemporaryDirectory() as scratch, serving() as live:
        body = Path(scratch) / "fragment.html"
        url = live + request(0).split()[1].decode()
        asked = Request(url, headers={"HX-Request": "true", "HX-Request-Type": "partial"})
        body.write_bytes(urlopen(asked).read())
        with serving("benchmarks.precomputed:app", PRECOMPUTED=str(body)) as floor:
            same = [0] * REQUESTS
            rates, again, floors, seconds = [], [], [], []
            # The first round warms up. No sentence comes twice, since answers are kept.
            for round_ in range(ROUNDS + 1):
                new = range(1 + round_ * REQUESTS, 1 + (round_ + 1) * REQUESTS)
                rate, each = asyncio.run(_load(live, new))
                rates.append(rate)
                seconds.append(each)
                again.append(asyncio.run(_load(live, same))[0])
                floors.append(asyncio.run(_load(floor, same))[0])
        p99 = quantiles([s for each in seconds[1:] for s in each], n=100)[98]
        kilobytes = body.stat().st_size / 1024
        print(f"live        {median(rates[1:]):7.0f} requests/s, {kilobytes:.0f} KB each")
        print(f"repeated    {median(again[1:]):7.0f} requests/s, the same view again")
        print(f"precomputed {median(floors[1:]):7.0f} requests/s, the same bytes as plain ASGI")
        print(
            f"live/precomputed {_ratio(rates, floors):.3f}, repeated/precomputed"
            f" {_ratio(again, floors):.2f}; live p99 {p99 * 1e3:.1f} ms at full load"
        )


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Of two rates after the first round, which warms up."""
    return median(a / b for a, b in zip(ours[1:], theirs[1:], strict=True))
