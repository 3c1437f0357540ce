"""HTTP clients that request at full load, or once a second like learners."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter, process_time
from urllib.parse import urlsplit

from benchmarks.document import SkippedError

ROUND_TIMEOUT_SECONDS = 60
"""Maximum duration of one round."""


@dataclass(frozen=True)
class LoadResult:
    """Latencies in seconds, and the share of the time in which the client used a processor."""

    requests_per_second: float
    latencies: list[float]
    client_busy: float

    @property
    def p50(self) -> float:
        """In milliseconds."""
        return median(self.latencies) * 1e3

    @property
    def p99(self) -> float:
        """In milliseconds."""
        return quantiles(self.latencies, n=100)[98] * 1e3


class Connection:
    """A persistent HTTP connection with one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @staticmethod
    async def connect(address: str) -> "Connection":
        server = urlsplit(address)
        return Connection(*await asyncio.open_connection(server.hostname, server.port))

    async def fetch(self, request: bytes) -> bytes:
        """Return the body of the response. Raises `SkippedError` for any status but 200."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            status = head.partition(b"\r\n")[0].decode()
            raise SkippedError(f"the server answered {status} to {request[:60]!r}…")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return await self.reader.readexactly(length)

    def close(self) -> None:
        self.writer.close()


async def fetch_once(address: str, request: bytes) -> bytes:
    connection = await Connection.connect(address)
    try:
        return await connection.fetch(request)
    finally:
        connection.close()


async def full_load(address: str, requests: Sequence[bytes], n_connections: int) -> LoadResult:
    """Send all requests as fast as they are answered, over `n_connections` connections."""
    pool = [await Connection.connect(address) for _ in range(n_connections)]
    pending = iter(requests)
    return await _measure_load([_fetch_in_sequence(each, pending) for each in pool], pool)


async def one_request_per_second(
    address: str, learners: int, seconds: int, request: Callable[[int, int], bytes]
) -> LoadResult:
    """Let each learner send `request(learner, second)` once a second, from a random moment on.

    A latency starts when the request is due, even if it is sent late.
    """
    pool = [await Connection.connect(address) for _ in range(learners)]
    phases = random.Random(0)  # noqa: S311
    begin = perf_counter() + 0.1
    return await _measure_load(
        [
            _fetch_on_schedule(
                each, begin + phases.random(), [request(learner, s) for s in range(seconds)]
            )
            for learner, each in enumerate(pool)
        ],
        pool,
    )


async def _measure_load(tasks: Sequence, pool: Sequence[Connection]) -> LoadResult:
    begin, cpu_begin = perf_counter(), process_time()
    try:
        async with asyncio.timeout(ROUND_TIMEOUT_SECONDS):
            latencies = [
                each
                for connection_latencies in await asyncio.gather(*tasks)
                for each in connection_latencies
            ]
    except TimeoutError:
        raise SkippedError(
            f"the server took more than {ROUND_TIMEOUT_SECONDS} seconds for a round"
        ) from None
    finally:
        for connection in pool:
            connection.close()
    elapsed, cpu_time = perf_counter() - begin, process_time() - cpu_begin
    return LoadResult(len(latencies) / elapsed, latencies, cpu_time / elapsed)


async def _fetch_in_sequence(connection: Connection, requests: Iterator[bytes]) -> list[float]:
    latencies = []
    for request in requests:
        begin = perf_counter()
        await connection.fetch(request)
        latencies.append(perf_counter() - begin)
    return latencies


async def _fetch_on_schedule(
    connection: Connection, begin: float, requests: Sequence[bytes]
) -> list[float]:
    latencies = []
    for number, request in enumerate(requests):
        due = begin + number
        await asyncio.sleep(max(0.0, due - perf_counter()))
        await connection.fetch(request)
        latencies.append(perf_counter() - due)
    return latencies
