"""Products of a few rows with a large matrix, the bulk of all work here.

OpenBLAS packs both factors into buffers before it multiplies, which pays for many rows; with
AVX-512 it has kernels that pack nothing, but takes them for small products only. A large matrix cut
into blocks is many small products, whose sums are added up. `make bench` tells what that gains.
"""

import os

import numpy as np

from app.attention.weights import Matrix

SMALL = 1_000_000
"""OpenBLAS packs nothing for products of fewer multiplications.
Source: OpenBLAS 0.3.31, kernel/x86_64/sgemm_small_kernel_permit_skylakex.c."""

FEW_ROWS = 40
"""Up to so many rows of x, cutting gained in every shape that was tried."""

LARGE = 384
SOME_ROWS = 16

COLUMNS = 64
WIDE, TALL = (96, 128, 64), (192, 128, 96, 64)
"""Heights of blocks, the best first that were measured: for matrices wider than high, and others.
One must divide the height of the matrix."""


def _has_small_kernels() -> bool:
    """NumPy says what the processor can do in a place of its own; elsewhere nothing is cut."""
    features = getattr(getattr(np, "_core", None), "_multiarray_umath", None)
    able = getattr(features, "__cpu_features__", {}).get("AVX512_SKX", False)
    return bool(able) and os.environ.get("OPENBLAS_CORETYPE", "SKYLAKEX").upper() == "SKYLAKEX"


HAS_SMALL_KERNELS = _has_small_kernels()


def product(x: Matrix, weight: Matrix, *, to_columns: bool = False) -> Matrix:
    """x @ weight: (n, d_in), (d_in, d_out) -> (n, d_out).

    With many rows the result of a large, wide matrix lies column by column: OpenBLAS then takes the
    other factor for the larger one, and is quicker. So it does with fewer rows and of any matrix if
    what comes next would rather have it `to_columns`.
    """
    n, d_in = x.shape
    d_out = weight.shape[1]
    if HAS_SMALL_KERNELS and n <= FEW_ROWS and n * d_in * d_out > SMALL and not d_out % COLUMNS:
        height = next((h for h in (WIDE if d_out > d_in else TALL) if not d_in % h), None)
        if height:
            return _in_blocks(x, weight, height)
    if (n >= SOME_ROWS and to_columns) or (n > FEW_ROWS and d_out > d_in >= LARGE):
        turned = np.empty_like(x, shape=(d_out, n), order="C").T
        return np.matmul(x, weight, out=turned)
    whole: Matrix = x @ weight
    return whole


def _in_blocks(x: Matrix, weight: Matrix, height: int) -> Matrix:
    """As `product`, by blocks of that height and `COLUMNS` columns, all of them views."""
    n, d_in = x.shape
    down, across = d_in // height, weight.shape[1] // COLUMNS
    partial = np.empty_like(x, shape=(down, n, weight.shape[1]), order="C")
    np.matmul(
        x.reshape(n, down, 1, height).transpose(1, 2, 0, 3),
        weight.reshape(down, height, across, COLUMNS).transpose(0, 2, 1, 3),
        out=partial.reshape(down, n, across, COLUMNS).transpose(0, 2, 1, 3),
    )
    total: Matrix = np.add.reduce(partial, axis=0)
    return total
