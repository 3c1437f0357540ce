"""Headwise: a lesson on multi-head attention, computed live by trained heads."""

import os

# A worker serves many small requests: BLAS threads would only fight one another over matrices
# this small. It must be said before NumPy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
