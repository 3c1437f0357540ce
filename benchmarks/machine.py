"""Processor, BLAS and versions: figures mean nothing without them."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np  # noqa: F401  # its BLAS has to be loaded to be asked
from threadpoolctl import threadpool_info

PACKAGES = ("numpy", "fastapi", "uvicorn", "torch", "transformers", "onnxruntime")


def describe_machine() -> str:
    """One paragraph: what the run stands on, and how much else runs at this moment."""
    description = f"{_processor()}; {_blas()}; Python {platform.python_version()}, {_versions()}."
    return f"{description} {_system_load()}".rstrip()


def _system_load() -> str:
    """A quiet machine has a load near 0."""
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
    """Name, version, core type and threads of the BLAS that NumPy uses."""
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    if not pools:
        return "a BLAS that tells nothing of itself"
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
