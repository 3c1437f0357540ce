"""Matrix products of a few rows with a large matrix, which take most of a forward pass.

OpenBLAS copies both factors into packed buffers before it multiplies. With few rows, that costs
more than the product itself. Its AVX-512 kernels for small matrices copy nothing, but are used only
up to `MAX_SMALL` multiplications. On a processor with AVX-512, a larger product is therefore split
into small ones. docs/decisions/matmul.md has the measurements.
"""

import os

import numpy as np

from app.attention.weights import Matrix

MAX_ROWS = 16
"""Most rows of `x` with which splitting is faster."""

MAX_SMALL = 1_000_000
"""Most multiplications for which OpenBLAS uses its kernels for small matrices.
Source: OpenBLAS 0.3.31, kernel/x86_64/sgemm_small_kernel_permit_skylakex.c."""

MIN_PART = 16
"""Fewest rows of `weight` in a part."""


def has_small_matrix_kernels() -> bool:
    """Return whether the processor has AVX-512 and `OPENBLAS_CORETYPE` selects no older one.

    NumPy has no public function for this; without the private one, the answer is no.
    """
    umath = getattr(getattr(np, "_core", None), "_multiarray_umath", None)
    has_avx512 = getattr(umath, "__cpu_features__", {}).get("AVX512_SKX", False)
    core_type = os.environ.get("OPENBLAS_CORETYPE", "SKYLAKEX")
    return bool(has_avx512) and core_type.upper() == "SKYLAKEX"


HAS_SMALL_MATRIX_KERNELS = has_small_matrix_kernels()


def matmul(x: Matrix, weight: Matrix) -> Matrix:
    """Return x @ weight: (n, d_in), (d_in, d_out) -> (n, d_out)."""
    n, d_in = x.shape
    multiplications = n * d_in * weight.shape[1]
    if HAS_SMALL_MATRIX_KERNELS and n <= MAX_ROWS and multiplications > MAX_SMALL:
        for n_parts in range(2, d_in // MIN_PART + 1):
            if d_in % n_parts == 0 and multiplications <= n_parts * MAX_SMALL:
                return split_matmul(x, weight, n_parts)
    product: Matrix = x @ weight
    return product


def split_matmul(x: Matrix, weight: Matrix, n_parts: int) -> Matrix:
    """Return x @ weight as the sum of `n_parts` products, each of d_in / n_parts rows of `weight`.

    `n_parts` must divide d_in.
    """
    n, d_in = x.shape
    x_parts = x.reshape(n, n_parts, d_in // n_parts).transpose(1, 0, 2)  # (n_parts, n, part)
    weight_parts = weight.reshape(n_parts, d_in // n_parts, -1)  # (n_parts, part, d_out)
    total: Matrix = np.add.reduce(np.matmul(x_parts, weight_parts), axis=0)
    return total
