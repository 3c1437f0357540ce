"""Windows of text with masked tokens. They depend only on the random generator."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MASKED_SHARE = 0.15
SHARE_REPLACED_BY_MASK = 0.8
SHARE_REPLACED_BY_RANDOM = 0.1

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class MaskedBatch:
    input_ids: Ids  # (batch, n)
    original_ids: Ids  # (batch, n)
    is_target: NDArray[np.bool_]  # (batch, n): tokens to predict


@dataclass(frozen=True)
class EncodedText:
    """A row of token ids, and the indices where sentences start. Windows begin at these."""

    tokens: NDArray[np.uint16]
    starts: NDArray[np.int64]

    def windows(self, rng: np.random.Generator, count: int, length: int) -> Ids:  # (count, length)
        usable = np.searchsorted(self.starts, len(self.tokens) - length, side="right")
        starts = self.starts[rng.integers(0, usable, count)]
        return self.tokens[starts[:, None] + np.arange(length)].astype(np.int64)


def window_length(rng: np.random.Generator, max_length: int) -> int:
    """Return `max_length` half of the time, else a length from 4 to `max_length` - 1.

    Learners also type short sentences.
    """
    return max_length if rng.random() < 0.5 else int(rng.integers(4, max_length))


def mask_batch(
    original_ids: Ids, rng: np.random.Generator, *, mask_id: int, n_special: int, vocabulary: int
) -> MaskedBatch:
    """Choose 15 % of the tokens as targets: 80 % become [MASK], 10 % a random token, 10 % stay.

    Source: Devlin et al. 2019, section 3.1.
    """
    is_target = (rng.random(original_ids.shape) < MASKED_SHARE) & (original_ids >= n_special)
    if not is_target.any():
        is_target.flat[0] = True
    draw = rng.random(original_ids.shape)
    random_ids = rng.integers(n_special, vocabulary, original_ids.shape)
    input_ids = np.where(is_target & (draw < SHARE_REPLACED_BY_MASK), mask_id, original_ids)
    is_random = (
        is_target
        & (draw >= SHARE_REPLACED_BY_MASK)
        & (draw < SHARE_REPLACED_BY_MASK + SHARE_REPLACED_BY_RANDOM)
    )
    return MaskedBatch(np.where(is_random, random_ids, input_ids), original_ids, is_target)
