"""Describe the machine: without processor, BLAS and versions, the figures mean nothing."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np  # noqa: F401  # loads the BLAS that is described
from threadpoolctl import threadpool_info

PACKAGES = ("numpy", "fastapi", "uvicorn", "torch", "transformers", "onnxruntime")


def describe_machine() -> str:
    """Return one paragraph on processor, BLAS, versions and the current load."""
    description = f"{_processor()}; {_blas()}; Python {platform.python_version()}, {_versions()}."
    return f"{description} {_system_load()}".rstrip()


def _system_load() -> str:
    """Return a sentence on the load; an idle machine has a load near 0."""
    if not hasattr(os, "getloadavg"):
        return ""
    return f"Load of the machine in the minute before: {os.getloadavg()[0]:.1f}."


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:  # noqa: PTH123
            names = [line.split(": ")[1].strip() for line in info if line.startswith("model name")]
    except OSError:
        names = []
    return f"{names[0] if names else platform.processor()}, {len(names) or 'unknown'} cores"


def _blas() -> str:
    """Return name, version, core type and number of threads of NumPy's BLAS."""
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    if not pools:
        return "an unknown BLAS"
    pool = pools[0]
    threads = f"{pool['num_threads']} thread{'s' if pool['num_threads'] > 1 else ''}"
    core = pool.get("architecture", "unknown")
    return f"{pool['internal_api']} {pool['version']}, core type {core}, {threads}"


def _versions() -> str:
    return ", ".join(f"{name} {_version(name)}" for name in PACKAGES)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
