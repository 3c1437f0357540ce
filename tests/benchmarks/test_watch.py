"""Watching a computation changes nothing of it."""

import numpy as np

from app.attention import AttentionWeights, fast
from benchmarks.watch import ProfiledArray, profile_calls, with_profiling


def random_layer() -> tuple[np.ndarray, AttentionWeights]:
    rng = np.random.default_rng(0)
    shapes = (8, 24), (24,), (8, 8), (8,)
    X = rng.normal(size=(5, 8)).astype(np.float32)
    return X, AttentionWeights(2, *(rng.normal(size=s).astype(np.float32) for s in shapes))


def test_a_profiled_layer_gives_the_same_numbers() -> None:
    X, W = random_layer()
    expected = fast.multi_head_attention(X, W)
    profiled = fast.multi_head_attention(with_profiling(X), with_profiling(W))
    for plain_array, profiled_array in zip(expected, profiled, strict=True):
        assert np.array_equal(plain_array, profiled_array)


def test_every_array_within_a_value_is_profiled() -> None:
    _, W = random_layer()
    pair = with_profiling((W, "a word"))
    assert isinstance(pair[0].output, ProfiledArray)
    assert pair[1] == "a word"
    assert not isinstance(W.output, ProfiledArray)


def test_calls_are_counted_by_function_and_shapes() -> None:
    x = with_profiling(np.ones((2, 3), np.float32))
    calls = profile_calls(lambda: (x @ x.T, x + x, x + x, x.max(axis=1)))
    assert [(each.label, each.count) for each in calls] == [
        ("matmul (2, 3) and (3, 2)", 1),
        ("add (2, 3) and (2, 3)", 2),
        ("maximum.reduce (2, 3)", 1),
    ]
