import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.attention.rope import Rotary
from tests.attention.loops import rotary_by_loops


def random_vectors(seed, n, d_head):
    return np.random.default_rng(seed).normal(size=(n, d_head))


sizes = st.integers(0, 99), st.integers(1, 20), st.integers(1, 8)


@given(*sizes, st.sampled_from([50.0, 10_000.0, 1e6]))
def test_every_pair_is_rotated_by_the_angle_of_its_position_and_frequency(seed, n, half, base):
    x = random_vectors(seed, n, 2 * half)
    before = x.copy()
    expected = rotary_by_loops(x, Rotary(base))
    np.testing.assert_allclose(Rotary(base).rotate(x), expected, atol=1e-12)
    assert np.array_equal(x, before)


@given(*sizes)
def test_every_head_is_rotated_alike(seed, n, half):
    x = random_vectors(seed, 3 * n, 2 * half).reshape(3, n, 2 * half)
    rotated = Rotary().rotate(x)
    assert all(np.array_equal(rotated[head], Rotary().rotate(x[head])) for head in range(3))


@given(*sizes)
def test_the_first_position_is_unchanged(seed, n, half):
    x = random_vectors(seed, n, 2 * half)
    assert np.array_equal(Rotary().rotate(x)[0], x[0])


@given(*sizes)
def test_rotation_preserves_norms(seed, n, half):
    x = random_vectors(seed, n, 2 * half)
    lengths = np.linalg.norm(Rotary().rotate(x), axis=-1)
    np.testing.assert_allclose(lengths, np.linalg.norm(x, axis=-1), atol=1e-12)


@given(*sizes)
def test_a_score_depends_on_the_distance_alone(seed, n, half):
    query, key = random_vectors(seed, 2, 2 * half)
    queries, keys = (Rotary(50.0).rotate(np.tile(each, (n, 1))) for each in (query, key))
    scores = queries @ keys.T
    for distance in range(-n + 1, n):
        diagonal = np.diagonal(scores, distance)
        np.testing.assert_allclose(diagonal, diagonal[0], atol=1e-9)


def test_the_default_base_is_that_of_the_paper():
    assert Rotary().base == 10_000


def test_float32_stays_float32():
    assert Rotary().rotate(np.ones((2, 3, 4), np.float32)).dtype == np.float32
