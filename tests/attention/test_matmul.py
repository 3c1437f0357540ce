import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.attention import matmul as matmul_module
from app.attention.matmul import (
    MAX_ROWS,
    MAX_SMALL,
    MIN_PART,
    has_small_matrix_kernels,
    matmul,
    split_matmul,
)

CPU_FEATURES = np._core._multiarray_umath.__cpu_features__

SPLIT = [(1, 1024, 1024), (8, 384, 1152), (8, 1536, 384), (MAX_ROWS, 384, 384), (5, 1002, 500)]
"""(n, d_in, d_out) of products that are split if the processor has the kernels."""

NOT_SPLIT = [
    (MAX_ROWS + 1, 384, 384),  # too many rows
    (10, 100, 1000),  # small enough as it is
    (8, 1009, 384),  # 1009 is a prime number
    (MAX_ROWS, MIN_PART, 10_000),  # one part is no more than the whole
]


def random_factors(n, d_in, d_out, dtype=np.float32):
    rng = np.random.default_rng(n + d_in + d_out)
    return rng.normal(size=(n, d_in)).astype(dtype), rng.normal(size=(d_in, d_out)).astype(dtype)


@pytest.fixture
def splits(monkeypatch):
    """The numbers of parts that products were split into."""
    calls = []

    def spy(x, weight, n_parts):
        calls.append(n_parts)
        return split_matmul(x, weight, n_parts)

    monkeypatch.setattr(matmul_module, "split_matmul", spy)
    return calls


@pytest.mark.parametrize("shape", SPLIT + NOT_SPLIT, ids=str)
@pytest.mark.parametrize("has_kernels", [True, False])
def test_the_product_is_the_same_with_and_without_small_matrix_kernels(
    monkeypatch, has_kernels, shape
):
    monkeypatch.setattr(matmul_module, "HAS_SMALL_MATRIX_KERNELS", has_kernels)
    x, weight = random_factors(*shape)
    before = x.copy(), weight.copy()
    product = matmul(x, weight)
    expected = x.astype(np.float64) @ weight.astype(np.float64)
    assert product.dtype == np.float32
    np.testing.assert_allclose(product, expected, atol=1e-3)
    assert np.array_equal(x, before[0])
    assert np.array_equal(weight, before[1])


@pytest.mark.parametrize("shape", SPLIT, ids=str)
def test_few_rows_and_a_large_weight_are_split_into_as_few_small_products_as_possible(
    monkeypatch, splits, shape
):
    monkeypatch.setattr(matmul_module, "HAS_SMALL_MATRIX_KERNELS", True)
    n, d_in, d_out = shape
    matmul(*random_factors(*shape))
    (n_parts,) = splits
    allowed = [
        parts
        for parts in range(1, d_in + 1)
        if d_in % parts == 0 and n * (d_in // parts) * d_out <= MAX_SMALL
    ]
    assert n_parts == min(allowed) > 1


@pytest.mark.parametrize("shape", NOT_SPLIT, ids=str)
def test_many_rows_and_small_or_indivisible_weights_are_not_split(monkeypatch, splits, shape):
    monkeypatch.setattr(matmul_module, "HAS_SMALL_MATRIX_KERNELS", True)
    matmul(*random_factors(*shape))
    assert splits == []


@pytest.mark.parametrize("shape", SPLIT, ids=str)
def test_nothing_is_split_without_small_matrix_kernels(monkeypatch, splits, shape):
    monkeypatch.setattr(matmul_module, "HAS_SMALL_MATRIX_KERNELS", False)
    matmul(*random_factors(*shape))
    assert splits == []


@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 7), st.integers(1, 8))
def test_the_sum_of_the_parts_is_the_product(n, n_parts, part, d_out):
    x, weight = random_factors(n, n_parts * part, d_out, np.float64)
    np.testing.assert_allclose(split_matmul(x, weight, n_parts), x @ weight, atol=1e-12)


@pytest.mark.parametrize(
    ("has_avx512", "core_type", "expected"),
    [
        (True, None, True),
        (True, "SkylakeX", True),
        (True, "HASWELL", False),
        (False, None, False),
        (False, "SkylakeX", False),
    ],
)
def test_the_kernels_need_avx512_and_no_older_core_type(
    monkeypatch, has_avx512, core_type, expected
):
    monkeypatch.setitem(CPU_FEATURES, "AVX512_SKX", has_avx512)
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    if core_type:
        monkeypatch.setenv("OPENBLAS_CORETYPE", core_type)
    assert has_small_matrix_kernels() is expected


def test_a_numpy_that_does_not_describe_the_processor_means_no_kernels(monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    monkeypatch.delattr(np._core._multiarray_umath, "__cpu_features__")
    assert has_small_matrix_kernels() is False
