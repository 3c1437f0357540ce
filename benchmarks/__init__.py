"""Benchmarks: speed as ratios within one run, and the goals for it. Run by `make bench`."""

import app  # noqa: F401  # before NumPy, so that BLAS uses one thread
