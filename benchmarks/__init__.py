"""Speed as ratios within one run: `make bench`."""

import app  # noqa: F401  # before NumPy, so that BLAS keeps to one thread
