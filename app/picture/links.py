"""One head's attention as lines between two copies of the sentence: queries left, keys right."""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from app.picture.colour_scale import LEVELS, quantise
from app.picture.map_layout import Axis, label_content
from app.picture.text_width import shorten, text_width

_ROW_HEIGHT, _LINK_WIDTH = 24, 150
_FONT_SIZE, _MAX_LABEL_WIDTH = 13.5, 110


def token_links(weights: NDArray[np.floating], axis: Axis) -> str:
    """Return the SVG of one head's attention matrix, `weights` (n, n).

    Width and opacity of a line grow with its weight; weights of level 0 have no line. Lines of the
    queries in `axis.queries` are drawn last, in the colour of queries. The SVG is hidden from
    screen readers: the caller describes it in text.
    """
    labels = [shorten(label, _FONT_SIZE, _MAX_LABEL_WIDTH, bold=True) for label in axis.labels]
    left = ceil(max(text_width(label, _FONT_SIZE, bold=True) for label in labels)) + 12
    width, height = 2 * left + _LINK_WIDTH, len(axis.labels) * _ROW_HEIGHT
    strokes = _link_paths(weights, axis.queries, left)
    return (
        f'<svg class="ties" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' aria-hidden="true">'
        f"{strokes}{_token_labels(axis, labels, left - 8, left + _LINK_WIDTH + 8)}</svg>"
    )


def _link_paths(weights: NDArray[np.floating], queries: Sequence[int], left: int) -> str:
    """Return one path for each level, those of chosen queries last."""
    paths: dict[tuple[bool, int], list[str]] = {}
    levels = quantise(weights)
    for query, key in np.argwhere(levels > 0).tolist():
        from_y, to_y = query * _ROW_HEIGHT + _ROW_HEIGHT // 2, key * _ROW_HEIGHT + _ROW_HEIGHT // 2
        path = paths.setdefault((query in queries, int(levels[query, key])), [])
        path.append(f"M{left} {from_y}L{left + _LINK_WIDTH} {to_y}")
    return "".join(
        f'<path class="tie{" chosen" if chosen else ""}" stroke-width="{level / LEVELS * 5:g}"'
        f' stroke-opacity="{0.15 + 0.85 * level / LEVELS:.2f}" d="{"".join(path)}"/>'
        for (chosen, level), path in sorted(paths.items())
    )


def _token_labels(axis: Axis, labels: Sequence[str], left: int, right: int) -> str:
    parts = []
    for index, (label, whole) in enumerate(zip(labels, axis.labels, strict=True)):
        y = index * _ROW_HEIGHT + _ROW_HEIGHT // 2 + 5
        text = label_content(label, whole)
        css_class = "query chosen" if index in axis.queries else "query"
        parts.append(f'<text class="{css_class}" x="{left}" y="{y}">{text}</text>')
        parts.append(f'<text class="key" x="{right}" y="{y}">{text}</text>')
    return "".join(parts)
