"""Run a server in its own process, and measure how soon it answers."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.document import SkippedError

START_TIMEOUT = 30.0
RETRY_INTERVAL = 0.002


@dataclass(frozen=True)
class RunningServer:
    """A running server. `seconds` is the time from its start to its first response."""

    address: str
    process_id: int
    seconds: float


@contextmanager
def run_server(target: str, **environment: str) -> Iterator[RunningServer]:
    """Run `target` under uvicorn with one worker. The server stops at the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", target, "--port", str(port)]
    begin = perf_counter()
    with subprocess.Popen(
        [*command, "--log-level", "warning", "--no-access-log"], env=os.environ | environment
    ) as process:
        try:
            _wait_for_answer(f"{address}/healthz", process, begin + START_TIMEOUT)
            yield RunningServer(address, process.pid, perf_counter() - begin)
        finally:
            process.terminate()


def _wait_for_answer(url: str, process: subprocess.Popen[bytes], deadline: float) -> None:
    """Retry every few milliseconds. Raises `SkippedError` at the deadline or if the server ends."""
    while perf_counter() < deadline:
        if process.poll() is not None:
            raise SkippedError(f"the server ended with exit code {process.returncode}")
        try:
            with urlopen(url, timeout=START_TIMEOUT):
                return
        except (URLError, ConnectionError):
            time.sleep(RETRY_INTERVAL)
    raise SkippedError(f"the server did not answer within {START_TIMEOUT:.0f} seconds")
