"""One head as lines between two copies of the sentence: queries on the left, keys on the right."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from app.picture.heatmap import Axis, shortened
from app.picture.number_format import LEVELS, levels

_ROW, _LETTER, _BETWEEN = 24, 7.4, 150


def token_lines(weights: NDArray[np.floating], axis: Axis) -> str:
    """SVG of one head's (n, n) weights, hidden from screen readers: say beside it what it shows.

    A line is as thick and as dark as its weight; weights that round to no step of heat have none.
    Lines of the chosen queries lie on top, in the colour of keys.
    """
    longest = max(len(shortened(label)) for label in axis.labels)
    left = round(longest * _LETTER) + 18
    width, height = 2 * left + _BETWEEN, len(axis.labels) * _ROW
    strokes = _strokes(weights, axis.queries, left)
    return (
        f'<svg class="ties" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' aria-hidden="true">{strokes}{_words(axis, left - 8, left + _BETWEEN + 8)}</svg>'
    )


def _strokes(weights: NDArray[np.floating], queries: Sequence[int], left: int) -> str:
    """One path for each step of heat, those of chosen queries last."""
    paths: dict[tuple[bool, int], list[str]] = {}
    heat = levels(weights)
    for query, key in np.argwhere(heat > 0).tolist():
        from_y, to_y = query * _ROW + _ROW // 2, key * _ROW + _ROW // 2
        path = paths.setdefault((query in queries, int(heat[query, key])), [])
        path.append(f"M{left} {from_y}L{left + _BETWEEN} {to_y}")
    return "".join(
        f'<path class="tie{" chosen" if chosen else ""}" stroke-width="{level / LEVELS * 5:g}"'
        f' stroke-opacity="{0.15 + 0.85 * level / LEVELS:.2f}" d="{"".join(path)}"/>'
        for (chosen, level), path in sorted(paths.items())
    )


def _words(axis: Axis, left: int, right: int) -> str:
    parts = []
    for index, label in enumerate(axis.labels):
        y = index * _ROW + _ROW // 2 + 5
        text = escape(shortened(label))
        kind = "query chosen" if index in axis.queries else "query"
        parts.append(f'<text class="{kind}" x="{left}" y="{y}">{text}</text>')
        parts.append(f'<text class="key" x="{right}" y="{y}">{text}</text>')
    return "".join(parts)
