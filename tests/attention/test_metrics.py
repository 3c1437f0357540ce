import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.attention import softmax
from app.attention.metrics import (
    diagonal_mean,
    largest_cell,
    mean_distance,
    mean_entropy,
    row_entropy,
    select_and_renormalise,
    token_to_word_attention,
    word_row,
)


@st.composite
def word_maps(draw):
    """Weights (n_heads, n, n) and the word of each token."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=8))
    words = [word for word, size in enumerate(sizes) for _ in range(size)]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return softmax(rng.normal(size=(3, len(words), len(words))) * 3), words


def test_entropy_is_zero_for_one_key_and_two_bits_for_four_equal_ones():
    weights = np.array([[1.0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]])
    assert row_entropy(weights).tolist() == [0.0, 2.0]
    assert not np.signbit(row_entropy(weights)).any()


@given(word_maps())
def test_entropy_is_between_zero_and_that_of_equal_weights(example):
    weights, words = example
    entropy = row_entropy(weights)
    assert np.all((entropy >= 0) & (entropy <= np.log2(len(words)) + 1e-9))


@given(word_maps())
def test_merged_rows_still_sum_to_one(example):
    weights, words = example
    np.testing.assert_allclose(token_to_word_attention(weights, words).sum(axis=-1), 1)


@given(word_maps())
def test_merging_sums_to_a_word_and_averages_from_it(example):
    weights, words = example
    merged = token_to_word_attention(weights, words)
    n_words = max(words) + 1
    for head in range(len(weights)):
        for a in range(n_words):
            for b in range(n_words):
                rows = [i for i, word in enumerate(words) if word == a]
                columns = [j for j, word in enumerate(words) if word == b]
                expected = sum(weights[head, i, j] for i in rows for j in columns) / len(rows)
                np.testing.assert_allclose(merged[head, a, b], expected)


def test_words_that_are_not_split_are_unchanged():
    weights = softmax(np.random.default_rng(0).normal(size=(2, 4, 4)))
    np.testing.assert_allclose(token_to_word_attention(weights, [0, 1, 2, 3]), weights)


@given(word_maps(), st.data())
def test_the_row_of_a_word_is_its_row_of_the_merged_map(example, data):
    weights, words = example
    word = data.draw(st.sampled_from(words))
    expected = token_to_word_attention(weights, words)[:, word]
    np.testing.assert_allclose(word_row(weights, words, word), expected, atol=1e-15)


@pytest.mark.parametrize("words", [[2, 0, 1, 3], [2, 0, 0, 3, 1]], ids=str)
def test_words_need_not_be_in_the_order_of_their_indices(words):
    weights = softmax(np.random.default_rng(0).normal(size=(2, len(words), len(words))))
    for word in words:
        expected = token_to_word_attention(weights, words)[:, word]
        np.testing.assert_allclose(word_row(weights, words, word), expected, atol=1e-15)


def test_the_entropy_of_a_head_is_the_mean_of_its_rows():
    even, sharp = np.full((2, 2), 0.5), np.eye(2)
    assert mean_entropy(np.stack([even, sharp])) == [1.0, 0.0]


def test_entropy_of_unequal_weights_is_in_bits():
    assert row_entropy(np.array([0.5, 0.25, 0.25])) == 1.5


def test_the_largest_cell_is_found_in_maps_that_need_not_be_square():
    cell = largest_cell(np.array([[0.4, 0.5, 0.1], [0.9, 0.1, 0.0]]))
    assert (cell.query, cell.key, cell.weight) == (1, 0, 0.9)


def test_of_equal_cells_the_first_in_reading_order_is_the_largest():
    cell = largest_cell(np.array([[0.1, 0.9], [0.9, 0.1]]))
    assert (cell.query, cell.key) == (0, 1)


@given(word_maps(), st.integers(-9, 9))
def test_the_diagonal_mean_is_over_queries_that_have_a_key_at_this_offset(example, offset):
    weights, words = example
    n = len(words)
    for head, mean in zip(weights, diagonal_mean(weights, offset), strict=True):
        cells = [head[query, query + offset] for query in range(n) if 0 <= query + offset < n]
        assert mean == pytest.approx(sum(cells) / len(cells) if cells else 0)


def test_the_mean_distance_weights_the_distance_in_tokens_by_attention():
    itself, first = np.eye(3), np.array([[1.0, 0, 0], [1, 0, 0], [1, 0, 0]])
    half = np.array([[0.5, 0, 0.5], [0, 1, 0], [0.5, 0, 0.5]])
    assert mean_distance(np.stack([itself, first, half])).tolist() == [0, 1, 2 / 3]


@given(word_maps(), st.data())
def test_rows_over_selected_tokens_sum_to_one_and_keep_their_proportions(example, data):
    weights, _ = example
    n = weights.shape[-1]
    visible = sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=1)))
    selected = select_and_renormalise(weights, visible)
    np.testing.assert_allclose(selected.sum(axis=-1), 1)
    for row, query in enumerate(visible):
        total = sum(weights[0, query, key] for key in visible)
        expected = [weights[0, query, key] / total for key in visible]
        np.testing.assert_allclose(selected[0, row], expected)


def test_a_row_without_weight_on_the_selected_tokens_stays_zero():
    weights = np.array([[[1.0, 0.0], [1.0, 0.0]]])
    assert select_and_renormalise(weights, [1]).tolist() == [[[0.0]]]
