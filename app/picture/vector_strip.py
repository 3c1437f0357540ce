"""Vectors as strips: one cell for each number, coloured by sign and size.

Cells above 0 touch the top of the strip and cells below 0 the bottom, so the sign does not depend
on colour alone.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.picture.colour_scale import SIGNED_LEVELS, quantise_signed, signed_heat_class

STRIP_HEIGHT = 5
"""Height of a strip in its own units; a cell is 1 unit wide and 4 high."""

MAX_CELLS = 256
"""A strip of more numbers shows the largest of each block of neighbours."""

_ABOVE_Y, _BELOW_Y = 2, 3

# A page has hundreds of strokes: their pieces are written once.
_STARTS = [[f"M{x} {y}" for x in range(MAX_CELLS)] for y in (_BELOW_Y, _ABOVE_Y)]
_LENGTHS = [f"h{n}" for n in range(MAX_CELLS + 1)]
_LEVELS = [level for level in range(-SIGNED_LEVELS, SIGNED_LEVELS + 1) if level]
_PATHS = {level: f'<path class="{signed_heat_class(level)}" d="' for level in _LEVELS}
_END = SIGNED_LEVELS + 1


def largest_magnitude(*arrays: NDArray[np.floating]) -> float:
    """Return the largest absolute value of several arrays; 1 if all are 0 or empty."""
    return max((float(np.abs(each).max()) for each in arrays if each.size), default=0.0) or 1.0


def strip_contents(vectors: NDArray[np.floating], largest: float) -> list[str]:
    """Return the content of the strip of each row of `vectors` (n, d), in the strip's own units.

    Colours run from -`largest` to `largest`. Strips have the width `n_cells(d)`.
    """
    width = n_cells(vectors.shape[1])
    levels = quantise_signed(signed_block_maxima(vectors), largest)
    ground = f'<rect class="ground" width="{width}" height="{STRIP_HEIGHT}"/><g class="cells">'
    return [f"{ground}{_level_paths(row)}</g>" for row in levels.tolist()]


def strip_svg(content: str, d: int, attributes: str) -> str:
    """Return one of `strip_contents` of d numbers as an SVG of any size.

    `attributes` are those that give it a position and a size.
    """
    return (
        f'<svg class="vector" {attributes} viewBox="0 0 {n_cells(d)} {STRIP_HEIGHT}"'
        f' preserveAspectRatio="none" aria-hidden="true">{content}</svg>'
    )


def n_cells(d: int) -> int:
    """Return the number of cells of the strip of d numbers."""
    return -(-d // _block_size(d))


def signed_block_maxima(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the number with the largest absolute value of each block of neighbours.

    (n, d) -> (n, `n_cells(d)`); blocks are as small as `MAX_CELLS` allows.
    """
    n, d = vectors.shape
    size = _block_size(d)
    if size == 1:
        return vectors
    blocks = np.pad(vectors, ((0, 0), (0, -d % size))).reshape(n, -1, size)
    indices = np.abs(blocks).argmax(axis=-1)[..., None]
    largest: NDArray[np.floating] = np.take_along_axis(blocks, indices, axis=-1)[..., 0]
    return largest


def _block_size(d: int) -> int:
    return -(-d // MAX_CELLS)


def _level_paths(levels: Sequence[int]) -> str:
    """Return one path for each level; neighbours of one level are one stroke."""
    strokes: dict[int, str] = {}
    start, current = 0, levels[0]
    for index, level in enumerate([*levels[1:], _END], 1):
        if level != current:
            if current:
                stroke = _STARTS[current > 0][start] + _LENGTHS[index - start]
                strokes[current] = strokes.get(current, "") + stroke
            start, current = index, level
    return "".join([f'{_PATHS[level]}{strokes[level]}"/>' for level in sorted(strokes)])
