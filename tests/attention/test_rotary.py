import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.attention.rope import Rotary


def vectors(seed, n, d_head):
    return np.random.default_rng(seed).normal(size=(n, d_head))


sizes = st.integers(0, 99), st.integers(1, 20), st.integers(1, 8)


@given(*sizes)
def test_the_first_place_is_left_as_it_is(seed, n, half):
    drawn = vectors(seed, n, 2 * half)
    assert np.array_equal(Rotary().rotate(drawn)[0], drawn[0])


@given(*sizes)
def test_turning_keeps_lengths(seed, n, half):
    drawn = vectors(seed, n, 2 * half)
    lengths = np.linalg.norm(Rotary().rotate(drawn), axis=-1)
    np.testing.assert_allclose(lengths, np.linalg.norm(drawn, axis=-1), atol=1e-12)


@given(*sizes)
def test_a_score_depends_on_the_distance_alone(seed, n, half):
    query, key = vectors(seed, 2, 2 * half)
    queries, keys = (Rotary(50.0).rotate(np.tile(each, (n, 1))) for each in (query, key))
    scores = queries @ keys.T
    for distance in range(-n + 1, n):
        along = np.diagonal(scores, distance)
        np.testing.assert_allclose(along, along[0], atol=1e-9)


def test_float32_stays_float32():
    assert Rotary().rotate(np.ones((2, 3, 4), np.float32)).dtype == np.float32
