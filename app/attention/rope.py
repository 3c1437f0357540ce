"""Positions as turns: queries and keys are turned by an angle that grows with their place."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Rotary:
    """Number j of a vector and number j + d_head / 2 are turned together, at place t by the angle
    t / base^(2 j / d_head); so a score depends on how far apart its query and key stand.

    Source: Su et al. 2021, "RoFormer", section 3.2.2; halves are paired as in Llama's weights.
    """

    base: float = 10_000.0

    def rotate(self, vectors: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """(..., n, d_head), the second axis from the end being places from 0, each turned."""
        n, d_head = vectors.shape[-2:]
        cosines, sines = _cos_sin(self.base, n, d_head, vectors.dtype)
        half = d_head // 2
        rotated = np.empty_like(vectors)
        rotated[..., :half] = -vectors[..., half:]
        rotated[..., half:] = vectors[..., :half]
        rotated *= sines
        rotated += vectors * cosines
        return rotated


@lru_cache(maxsize=64)
def _cos_sin(
    base: float, n: int, d_head: int, dtype: np.dtype[np.floating[Any]]
) -> tuple[Array, Array]:
    """Cosines and sines, each (n, d_head), as exact as `dtype`."""
    frequencies = base ** (-np.arange(0, d_head, 2) / d_head)
    angles = np.outer(np.arange(n), frequencies)
    paired_angles = np.concatenate([angles, angles], axis=-1)
    return np.cos(paired_angles).astype(dtype), np.sin(paired_angles).astype(dtype)
