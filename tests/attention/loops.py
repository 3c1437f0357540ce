"""Second implementations in plain loops, as references for tests."""

import numpy as np


def rotary_by_loops(vectors, rotary):
    """(n, d_head) with each pair of elements, d_head / 2 apart, rotated as a complex number."""
    if rotary is None:
        return vectors
    n, d_head = vectors.shape
    rotated = np.empty_like(vectors)
    for position in range(n):
        for j in range(d_head // 2):
            angle = position * rotary.base ** (-2 * j / d_head)
            pair = complex(vectors[position, j], vectors[position, j + d_head // 2])
            pair *= complex(np.cos(angle), np.sin(angle))
            rotated[position, j], rotated[position, j + d_head // 2] = pair.real, pair.imag
    return rotated
