"""Measures of attention weights, whose rows are queries and whose columns are keys."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.attention.weights import Matrix


def row_entropy(weights: Matrix) -> Matrix:
    """Return the Shannon entropy of each row in bits: (..., n_q, n_k) -> (..., n_q).

    It is 0 if one key gets all the weight, and log2(n_k) if all keys get the same.
    """
    # log2(0) is avoided: any finite number in its place is multiplied by the weight 0.
    logarithms = np.log2(np.maximum(weights, np.finfo(weights.dtype).tiny))
    # + 0.0 turns -0.0, the entropy of a row with one weight of 1, into 0.0.
    entropy: Matrix = -np.add.reduce(weights * logarithms, axis=-1) + 0.0
    return entropy


def mean_entropy(weights: Matrix) -> list[float]:
    """Return the mean row entropy of each head in bits: (n_heads, n_q, n_k) -> n_heads numbers."""
    means: list[float] = (np.add.reduce(row_entropy(weights), axis=-1) / weights.shape[-2]).tolist()
    return means


def token_to_word_attention(weights: Matrix, word_of: Sequence[int]) -> Matrix:
    """Merge the tokens of each word: (..., n, n) -> (..., n_words, n_words).

    `word_of` has the word index of each token, from 0 without gaps. Attention to a word is the sum
    over its tokens, attention from a word the mean over its tokens, so that rows still sum to 1.
    Source: Clark et al. 2019, "What Does BERT Look At?", section 4.1.
    """
    membership = _word_membership(word_of).astype(weights.dtype)  # (n_words, n)
    means = membership / membership.sum(axis=1, keepdims=True)
    merged: Matrix = means @ weights @ membership.T
    return merged


def word_row(weights: Matrix, word_of: Sequence[int], word: int) -> Matrix:
    """Return row `word` of `token_to_word_attention` without computing the others.

    (..., n, n) -> (..., n_words)
    """
    if [*word_of] == list(range(len(word_of))):
        row: Matrix = weights[..., word, :]
        return row
    membership = _word_membership(word_of).astype(weights.dtype)  # (n_words, n)
    row = membership[word] / membership[word].sum() @ weights @ membership.T
    return row


def _word_membership(word_of: Sequence[int]) -> NDArray[np.bool_]:
    """Return (n_words, n), True where the token belongs to the word."""
    membership: NDArray[np.bool_] = np.equal.outer(np.arange(max(word_of) + 1), word_of)
    return membership


def select_and_renormalise(weights: Matrix, token_indices: Sequence[int]) -> Matrix:
    """Select rows and columns of k tokens and rescale each row to sum to 1.

    (..., n, n) -> (..., k, k). A row whose selected weights are all 0 stays 0.
    """
    selected = weights[..., token_indices, :][..., token_indices].astype(np.float64)
    totals = selected.sum(axis=-1, keepdims=True)
    shares: Matrix = (selected / np.where(totals > 0, totals, 1)).astype(weights.dtype)
    return shares


def diagonal_mean(weights: Matrix, offset: int) -> Matrix:
    """Return the mean weight of the key `offset` positions after the query: -1 is the previous one.

    (n_heads, n, n) -> (n_heads,). Queries without such a key do not count; 0 if there are none.
    """
    diagonal = np.diagonal(weights, offset, axis1=-2, axis2=-1)  # (n_heads, n - |offset|)
    if not diagonal.shape[-1]:
        return np.zeros(len(weights), weights.dtype)
    mean: Matrix = diagonal.mean(axis=-1)
    return mean


def mean_distance(weights: Matrix) -> Matrix:
    """Return the mean distance in tokens between query and key, weighted by attention.

    (n_heads, n, n) -> (n_heads,)
    """
    positions = np.arange(weights.shape[-1])
    distances = np.abs(positions[:, None] - positions)
    mean: Matrix = (weights * distances).sum(axis=-1).mean(axis=-1)
    return mean


@dataclass(frozen=True)
class Cell:
    """One cell of an attention map: the weight of `key` in the row of `query`."""

    query: int
    key: int
    weight: float


def largest_cell(weights: Matrix) -> Cell:
    """Return the largest cell of one head's map (n_q, n_k), the first in reading order if tied."""
    query, key = divmod(int(weights.argmax()), weights.shape[1])
    return Cell(query, key, float(weights[query, key]))
