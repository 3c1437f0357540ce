"""Speed as ratios within one run, and the goals set for it: `make bench`."""

import app  # noqa: F401  # before NumPy, so that BLAS keeps to one thread
