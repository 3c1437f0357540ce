"""Rotary position embeddings (RoPE): queries and keys rotated by angles that grow with position."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Rotary:
    """Rotary positions with base θ.

    At position t, elements j and j + d_head / 2 of a vector are rotated as a pair, by the angle
    t / base^(2 j / d_head). A score then depends on the distance between query and key only.
    Source: Su et al. 2021, "RoFormer", section 3.2.2. Elements are paired as in Llama's weights.
    """

    base: float = 10_000.0

    def rotate(self, vectors: Array) -> Array:
        """Return (..., n, d_head) with the vector at each of the positions 0 to n - 1 rotated.

        d_head must be even.
        """
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
    """Return cosines and sines of the angles, each (n, d_head), rounded to `dtype`."""
    frequencies = base ** (-np.arange(0, d_head, 2) / d_head)
    angles = np.outer(np.arange(n), frequencies)
    paired_angles = np.concatenate([angles, angles], axis=-1)
    return np.cos(paired_angles).astype(dtype), np.sin(paired_angles).astype(dtype)
