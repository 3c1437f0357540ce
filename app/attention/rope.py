"""Positions as turns: queries and keys are turned by an angle that grows with their place."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Turns = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Rotary:
    """Number j of a vector and number j + d_head / 2 are turned together, at place t by the angle
    t / base^(2 j / d_head); so a score depends on how far apart its query and key stand.

    Source: Su et al. 2021, "RoFormer", section 3.2.2; halves are paired as in Llama's weights.
    """

    base: float = 10_000.0

    def turned(self, vectors: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """(..., n, d_head), the second axis from the end being places from 0, each turned."""
        n, d_head = vectors.shape[-2:]
        cosines, sines = _turns(self.base, n, d_head, vectors.dtype)
        half = d_head // 2
        crossed = np.empty_like(vectors)
        crossed[..., :half] = -vectors[..., half:]
        crossed[..., half:] = vectors[..., :half]
        crossed *= sines
        crossed += vectors * cosines
        return crossed


@lru_cache(maxsize=64)
def _turns(
    base: float, n: int, d_head: int, dtype: np.dtype[np.floating[Any]]
) -> tuple[Turns, Turns]:
    """Cosines and sines, each (n, d_head), as exact as `dtype`."""
    speeds = base ** (-np.arange(0, d_head, 2) / d_head)
    angles = np.outer(np.arange(n), speeds)
    both = np.concatenate([angles, angles], axis=-1)
    return np.cos(both).astype(dtype), np.sin(both).astype(dtype)
