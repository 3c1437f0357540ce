"""The tests. Numerical libraries use one thread a process: several processes run the tests."""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
