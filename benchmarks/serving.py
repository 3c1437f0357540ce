"""A server in a process of its own, and how soon it answers."""

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

from benchmarks.document import LeftOutError

LONGEST_START = 30.0
BETWEEN_TRIES = 0.002


@dataclass(frozen=True)
class Started:
    """`seconds` passed from the start of the process to its first answer with status 200."""

    address: str
    process_id: int
    seconds: float


@contextmanager
def started(target: str, **environment: str) -> Iterator[Started]:
    """The server under uvicorn with one worker; it ends with the block."""
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
            _wait_for_answer(f"{address}/healthz", process, begin + LONGEST_START)
            yield Started(address, process.pid, perf_counter() - begin)
        finally:
            process.terminate()


def _wait_for_answer(url: str, process: subprocess.Popen[bytes], until: float) -> None:
    """Tries a connection every few milliseconds; raises `LeftOutError` if none is to be had."""
    while perf_counter() < until:
        if process.poll() is not None:
            raise LeftOutError(f"the server ended with exit code {process.returncode}")
        try:
            with urlopen(url, timeout=LONGEST_START):
                return
        except (URLError, ConnectionError):
            time.sleep(BETWEEN_TRIES)
    raise LeftOutError(f"the server did not answer within {LONGEST_START:.0f} seconds")
