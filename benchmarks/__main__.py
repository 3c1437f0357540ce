"""`python -m benchmarks`: everything, in one run."""

import platform

import numpy as np
from threadpoolctl import threadpool_info

from benchmarks import layer, sentence, server


def machine() -> str:
    """Processor and BLAS, as figures mean nothing without them."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:  # noqa: PTH123
            names = [line.split(": ")[1].strip() for line in info if line.startswith("model name")]
    except OSError:
        names = []
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    blas = " ".join(
        f"{p['internal_api']} {p['version']} {p.get('architecture', '')}, {p['num_threads']} thread"
        for p in pools[:1]
    )
    return (
        f"{names[0] if names else platform.processor()}, {len(names)} cores;"
        f" Python {platform.python_version()}, NumPy {np.__version__},"
        f" {blas or 'a BLAS that tells nothing of itself'}"
    )


if __name__ == "__main__":
    print(machine())
    print("Ratios are medians over interleaved rounds, with their middle half in brackets.\n")
    for part in (layer, sentence, server):
        part.report()
        print()
