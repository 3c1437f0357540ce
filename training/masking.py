"""Windows of text with masked words: the same ones for every model, seed and step given."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MASKED_SHARE = 0.15
SHARE_SHOWN_AS_MASK = 0.8
SHARE_SHOWN_AS_RANDOM = 0.1

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class MaskedBatch:
    shown: Ids  # (batch, n)
    truth: Ids  # (batch, n)
    at: NDArray[np.bool_]  # (batch, n): where the truth is asked for


@dataclass(frozen=True)
class Text:
    """A row of token ids and where its sentences start; windows begin at sentence starts."""

    tokens: NDArray[np.uint16]
    starts: NDArray[np.int64]

    def windows(self, rng: np.random.Generator, count: int, length: int) -> Ids:  # (count, length)
        usable = np.searchsorted(self.starts, len(self.tokens) - length, side="right")
        starts = self.starts[rng.integers(0, usable, count)]
        return self.tokens[starts[:, None] + np.arange(length)].astype(np.int64)


def window_length(rng: np.random.Generator, longest: int) -> int:
    """Half of the time the longest, else anything from 4: learners type short sentences too."""
    return longest if rng.random() < 0.5 else int(rng.integers(4, longest))


def masked(
    truth: Ids, rng: np.random.Generator, *, mask_id: int, n_special: int, vocabulary: int
) -> MaskedBatch:
    """Asks for 15 % of the tokens: 80 % shown as [MASK], 10 % as a random token, 10 % as they are.

    Source: Devlin et al. 2019, section 3.1.
    """
    at = (rng.random(truth.shape) < MASKED_SHARE) & (truth >= n_special)
    if not at.any():
        at.flat[0] = True
    fate = rng.random(truth.shape)
    random = rng.integers(n_special, vocabulary, truth.shape)
    shown = np.where(at & (fate < SHARE_SHOWN_AS_MASK), mask_id, truth)
    is_random = (
        at & (fate >= SHARE_SHOWN_AS_MASK) & (fate < SHARE_SHOWN_AS_MASK + SHARE_SHOWN_AS_RANDOM)
    )
    return MaskedBatch(np.where(is_random, random, shown), truth, at)
