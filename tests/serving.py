"""Run an ASGI application under uvicorn on a free port, in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def run_server(
    target: str = "app.main:app", *, folder: Path | None = None, **environment: str
) -> Iterator[str]:
    """Start the server in `folder` with these environment variables, and yield its URL.

    The server stops at the end of the block.
    """
    with socket.socket() as listener:
        # The child inherits the bound socket, so no other process can take the port in between.
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "uvicorn", target, "--fd", str(listener.fileno())]
        process = subprocess.Popen(
            [*command, "--log-level", "warning", "--no-access-log"],
            cwd=folder,
            env=os.environ | environment,
            pass_fds=[listener.fileno()],
        )
    with process:
        try:
            _wait_until_up(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the server ended")
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start within 30 seconds")
