"""Requests a second of the live lab fragment against the same bytes precomputed, one worker."""

import asyncio
import tempfile
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
WORDS = ("cat", "dog", "bird", "child", "man", "woman", "king", "ship", "horse", "tree")


def sentence(number: int) -> str:
    """A sentence of nine tokens, a different one for each number up to a thousand."""
    a, b, c = (WORDS[number // power % 10] for power in (1, 10, 100))
    return f"The {a} saw a {b} near the {c}."


def request(number: int) -> bytes:
    query = urlencode({"text": sentence(number), "model": "headwise-h4", "layer": 0, "word": 1})
    return (
        f"GET {PATH}?{query} HTTP/1.1\r\nHost: localhost\r\n"
        "HX-Request: true\r\nHX-Request-Type: partial\r\n\r\n"
    ).encode()


async def _ask(address: str, numbers: range) -> list[float]:
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


async def _load(address: str) -> tuple[float, list[float]]:
    """Requests a second, and each one's seconds."""
    share = REQUESTS // CONNECTIONS
    begin = perf_counter()
    answers = await asyncio.gather(
        *(_ask(address, range(at * share, (at + 1) * share)) for at in range(CONNECTIONS))
    )
    return REQUESTS / (perf_counter() - begin), [s for each in answers for s in each]


def report() -> None:
    print(f"Lab fragment over HTTP, 1 worker, {CONNECTIONS} connections, a new sentence each time")
    with tempfile.TemporaryDirectory() as scratch, serving() as live:
        body = Path(scratch) / "fragment.html"
        url = live + request(0).split()[1].decode()
        asked = Request(url, headers={"HX-Request": "true", "HX-Request-Type": "partial"})
        body.write_bytes(urlopen(asked).read())
        with serving("benchmarks.precomputed:app", PRECOMPUTED=str(body)) as floor:
            asyncio.run(_load(live)), asyncio.run(_load(floor))
            rates, floors, seconds = [], [], []
            for _ in range(ROUNDS):
                rate, each = asyncio.run(_load(live))
                rates.append(rate)
                seconds += each
                floors.append(asyncio.run(_load(floor))[0])
        ratio = median(ours / theirs for ours, theirs in zip(rates, floors, strict=True))
        p99 = quantiles(seconds, n=100)[98]
        print(
            f"live        {median(rates):7.0f} requests/s, {body.stat().st_size / 1024:.0f} KB each"
        )
        print(f"precomputed {median(floors):7.0f} requests/s, the same bytes")
        print(
            f"live/precomputed {ratio:.2f}; live p50 {median(seconds) * 1e3:.1f} ms,"
            f" p99 {p99 * 1e3:.1f} ms at full load"
        )
