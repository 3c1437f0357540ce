"""Measure each part in its own Python process."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from time import perf_counter

from benchmarks.document import Part, SkippedError, to_text

PARTS = {
    "layer": "One layer",
    "minilm": "MiniLM",
    "family": "The models of the lesson",
    "server": "Server",
    "start": "Start and memory",
}


def measure_part(name: str) -> Part:
    """Measure one part. If something is missing, the returned part says what."""
    try:
        part: Part = import_module(f"benchmarks.{name}").measure()
    except ModuleNotFoundError as missing:
        return Part(
            PARTS[name], skip_reason=f"Left out: the module “{missing.name}” is not installed."
        )
    except SkippedError as error:
        return Part(PARTS[name], skip_reason=f"Left out: {error}.")
    return part


def measure_in_fresh_interpreters(names: list[str]) -> list[Part]:
    """Measure the parts one after the other, so that they share no memory and no threads."""
    parts = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as process:
        for name in names:
            begin = perf_counter()
            parts.append(process.submit(measure_part, name).result())
            print(f"{to_text(parts[-1])}\n({name}: {perf_counter() - begin:.0f} s)\n", flush=True)
    return parts
