"""Learners as connections: all at once, or each of them once a second."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter, process_time
from urllib.parse import urlsplit

from benchmarks.document import LeftOutError

LONGEST = 60
"""Seconds that a round may take."""


@dataclass(frozen=True)
class Load:
    """What answers took, and what part of the time this client was itself at work."""

    rate: float
    seconds: list[float]
    busy: float

    @property
    def p50(self) -> float:
        """In milliseconds."""
        return median(self.seconds) * 1e3

    @property
    def p99(self) -> float:
        """In milliseconds."""
        return quantiles(self.seconds, n=100)[98] * 1e3


class Connection:
    """Kept open, and asked one thing after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @staticmethod
    async def to(address: str) -> "Connection":
        server = urlsplit(address)
        return Connection(*await asyncio.open_connection(server.hostname, server.port))

    async def ask(self, request: bytes) -> bytes:
        """The body of the answer. Raises `LeftOutError` for any status but 200."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            status = head.partition(b"\r\n")[0].decode()
            raise LeftOutError(f"the server answered {status} to {request[:60]!r}…")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return await self.reader.readexactly(length)

    def close(self) -> None:
        self.writer.close()


async def answer(address: str, request: bytes) -> bytes:
    connection = await Connection.to(address)
    try:
        return await connection.ask(request)
    finally:
        connection.close()


async def full_load(address: str, requests: Sequence[bytes], connections: int) -> Load:
    """All requests as fast as they are answered, over so many connections at once."""
    opened = [await Connection.to(address) for _ in range(connections)]
    waiting = iter(requests)
    return await _load([_one_after_another(each, waiting) for each in opened], opened)


async def once_a_second(
    address: str, learners: int, seconds: int, request: Callable[[int, int], bytes]
) -> Load:
    """So many learners for so long, each at a moment of its own; `request` of learner and second.

    An answer's time counts from the moment at which its request was to be sent, late or not.
    """
    opened = [await Connection.to(address) for _ in range(learners)]
    phases = random.Random(0)  # noqa: S311
    begin = perf_counter() + 0.1
    return await _load(
        [
            _in_rhythm(each, begin + phases.random(), [request(learner, s) for s in range(seconds)])
            for learner, each in enumerate(opened)
        ],
        opened,
    )


async def _load(asking: Sequence, opened: Sequence[Connection]) -> Load:
    begin, worked = perf_counter(), process_time()
    try:
        async with asyncio.timeout(LONGEST):
            seconds = [each for own in await asyncio.gather(*asking) for each in own]
    except TimeoutError:
        raise LeftOutError(f"the server took more than {LONGEST} seconds for a round") from None
    finally:
        for connection in opened:
            connection.close()
    took, work = perf_counter() - begin, process_time() - worked
    return Load(len(seconds) / took, seconds, work / took)


async def _one_after_another(connection: Connection, requests: Iterator[bytes]) -> list[float]:
    seconds = []
    for request in requests:
        begin = perf_counter()
        await connection.ask(request)
        seconds.append(perf_counter() - begin)
    return seconds


async def _in_rhythm(
    connection: Connection, begin: float, requests: Sequence[bytes]
) -> list[float]:
    seconds = []
    for number, request in enumerate(requests):
        intended = begin + number
        await asyncio.sleep(max(0.0, intended - perf_counter()))
        await connection.ask(request)
        seconds.append(perf_counter() - intended)
    return seconds
