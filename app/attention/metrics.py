"""Figures read off attention weights; every function takes rows as queries, columns as keys."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.attention.weights import Matrix


def row_entropy(weights: Matrix) -> Matrix:
    """Shannon entropy of each row in bits: (..., n_q, n_k) -> (..., n_q).

    0 when one key gets everything, log2(n_k) when all get the same.
    """
    # Of 0 the logarithm is not asked for: the least number in its place is multiplied by 0.
    logarithms = np.log2(np.maximum(weights, np.finfo(weights.dtype).tiny))
    # + 0.0 turns the -0.0 of a row that is all on one key into 0.0
    entropy: Matrix = -np.add.reduce(weights * logarithms, axis=-1) + 0.0
    return entropy


def mean_entropy(weights: Matrix) -> list[float]:
    """The mean of its rows' entropies for each head of (n_heads, n_q, n_k)."""
    means: list[float] = (np.add.reduce(row_entropy(weights), axis=-1) / weights.shape[-2]).tolist()
    return means


def token_to_word_attention(weights: Matrix, word_of: Sequence[int]) -> Matrix:
    """Token weights (..., n, n) to word weights (..., n_words, n_words).

    `words` gives each token's word, counted from 0 without gaps. Weight *to* a word is the sum
    over its pieces, weight *from* a word the mean over its pieces, so rows still sum to 1.
    Source: Clark et al. 2019, section 4.1.
    """
    membership = np.equal.outer(np.arange(max(word_of) + 1), word_of).astype(
        weights.dtype
    )  # (n_words, n)
    means = membership / membership.sum(axis=1, keepdims=True)
    merged: Matrix = means @ weights @ membership.T
    return merged


def word_row(weights: Matrix, word_of: Sequence[int], word: int) -> Matrix:
    """Of `merge_pieces` what one word reads: (..., n, n) -> (..., n_words)."""
    if [*word_of] == list(range(len(word_of))):
        row: Matrix = weights[..., word, :]
        return row
    membership = np.equal.outer(np.arange(max(word_of) + 1), word_of).astype(
        weights.dtype
    )  # (n_words, n)
    row = membership[word] / membership[word].sum() @ weights @ membership.T
    return row


def select_and_renormalise(weights: Matrix, token_indices: Sequence[int]) -> Matrix:
    """(..., n, n) without the rows and columns of all tokens but those `kept`, each row brought
    back to 1, (..., n_kept, n_kept); a row that gave them nothing stays empty.
    """
    selected = weights[..., token_indices, :][..., token_indices].astype(np.float64)
    totals = selected.sum(axis=-1, keepdims=True)
    shares: Matrix = (selected / np.where(totals > 0, totals, 1)).astype(weights.dtype)
    return shares


def diagonal_mean(weights: Matrix, offset: int) -> Matrix:
    """Mean weight (n_heads,) that queries give to the key `offset` places away: -1 is the previous
    one. Queries that have no such key are left out; 0 if none has.
    """
    diagonal = np.diagonal(weights, offset, axis1=-2, axis2=-1)  # (n_heads, n - |offset|)
    if not diagonal.shape[-1]:
        return np.zeros(len(weights), weights.dtype)
    mean: Matrix = diagonal.mean(axis=-1)
    return mean


def mean_distance(weights: Matrix) -> Matrix:
    """Mean distance (n_heads,) between query and key in places, weighted by how much is read."""
    positions = np.arange(weights.shape[-1])
    distances = np.abs(positions[:, None] - positions)
    mean: Matrix = (weights * distances).sum(axis=-1).mean(axis=-1)
    return mean


@dataclass(frozen=True)
class Cell:
    """One cell of a map: how much `query` reads `key`."""

    query: int
    key: int
    weight: float


def largest_cell(weights: Matrix) -> Cell:
    """The largest cell of one head's (n, n) map; of equals the first."""
    query, key = divmod(int(weights.argmax()), weights.shape[1])
    return Cell(query, key, float(weights[query, key]))
