"""Headwise: a lesson on multi-head attention, computed live by trained heads."""

import os

# For matrices this small, several BLAS threads are slower than one. This must be set before NumPy
# is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
