"""A view's picture in one piece, for files: what a page shows as several pictures, joined."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from app.picture.heatmap import Axis, HeatmapFrame, heatmap, miniature, shortened
from app.picture.links import token_lines
from app.picture.number_format import ink, levels, short

_SIZE = re.compile(r'<svg class="[^"]*" viewBox="0 0 (\d+) (\d+)"')
_COLUMNS, _GAP, _TITLE, _BETWEEN = 4, 24, 26, 8
_LETTER, _WORD_HEIGHT, _ROW = 7.6, 38, 52


def overview(layers: Sequence[NDArray[np.floating]]) -> str:
    """SVG of small maps of every head (n_heads, n, n) of every layer, a row a layer."""
    rows = [[miniature(weights) for weights in maps] for maps in layers]
    found = _SIZE.match(rows[0][0])
    if not found:
        raise ValueError("this is no picture of ours")
    side, left, top = int(found[1]) + _BETWEEN, 70, _TITLE
    parts = [
        f'<text class="name" x="{left + head * side}" y="16">{head}</text>'
        for head in range(len(rows[0]))
    ]
    for layer, pictures in enumerate(rows):
        y = top + layer * side
        parts.append(f'<text class="name" x="0" y="{y + 16}">Layer {layer}</text>')
        for head, picture in enumerate(pictures):
            parts.append(picture.replace("<svg ", f'<svg x="{left + head * side}" y="{y}" ', 1))
    width, height = left + len(rows[0]) * side, top + len(rows) * side
    return _opening(width, height) + "".join(parts) + "</svg>"


@dataclass(frozen=True)
class Heads:
    """The heads of a layer: maps (n_heads, n, n) of tokens, the chosen head, and what one word
    reads in each, `rows` (n_heads, n_words) over `words`.
    """

    maps: NDArray[np.floating]
    head: int
    axis: Axis
    rows: NDArray[np.floating]
    words: Sequence[str]


def whole(show: str, heads: Heads) -> str:
    """SVG of "grid", the maps of all heads; "map" or "lines" of the chosen one; or "strip", what
    the word reads in every head.
    """
    if show == "strip":
        return _strips(heads.rows, heads.words)
    if show == "lines":
        return token_lines(heads.maps[heads.head], heads.axis)
    frame = HeatmapFrame(heads.axis)
    if show == "grid":
        return _grid([heatmap(weights, frame) for weights in heads.maps])
    return heatmap(heads.maps[heads.head], frame)


def _grid(pictures: Sequence[str]) -> str:
    """Pictures of one size side by side, each with its head's number above it."""
    found = _SIZE.match(pictures[0])
    if not found:
        raise ValueError("this is no picture of ours")
    width, height = int(found[1]) + _GAP, int(found[2]) + _TITLE + _GAP
    columns = min(_COLUMNS, len(pictures))
    parts = []
    for number, picture in enumerate(pictures):
        x, y = number % columns * width, number // columns * height
        inner = picture.replace("<svg ", f'<svg x="{x}" y="{y + _TITLE}" ', 1)
        parts.append(f'<text class="name" x="{x}" y="{y + 16}">Head {number}</text>{inner}')
    n_rows = -(-len(pictures) // columns)
    return _opening(columns * width - _GAP, n_rows * height - _GAP) + "".join(parts) + "</svg>"


def _strips(rows: NDArray[np.floating], words: Sequence[str]) -> str:
    """What one word reads in each head: the sentence, every word on the heat of its weight."""
    widths = [max(40, round(len(shortened(word)) * _LETTER) + 16) for word in words]
    left = 70
    parts = []
    for head, row in enumerate(rows):
        y = head * _ROW
        parts.append(f'<text class="name" x="0" y="{y + 24}">Head {head}</text>')
        x, top = left, int(row.argmax())
        for index, (word, level) in enumerate(zip(words, levels(row).tolist(), strict=True)):
            middle, width = x + widths[index] // 2, widths[index]
            on = ink(level)
            parts.append(
                f'<g class="cells"><path class="heat-{level}" stroke-width="{_WORD_HEIGHT}"'
                f' d="M{x} {y + _WORD_HEIGHT // 2}h{width}"/></g>'
                f'<text class="number {on}" x="{middle}" y="{y + 17}">'
                f"{escape(shortened(word))}</text>"
                f'<text class="number {on}" x="{middle}" y="{y + 32}">'
                f"{escape(short(float(row[index])))}</text>"
            )
            if index == top:
                outline = f'x="{x - 1}" y="{y - 1}" width="{width + 2}" height="{_WORD_HEIGHT + 2}"'
                parts.append(f'<rect class="maximum" {outline}/>')
            x += width + 6
    width = left + sum(widths) + 6 * len(words)
    return (
        _opening(width, len(rows) * _ROW)
        + f'<g transform="translate(2 2)">{"".join(parts)}</g></svg>'
    )


def _opening(width: int, height: int) -> str:
    return (
        f'<svg class="map map-whole" viewBox="0 0 {width + 4} {height + 4}" width="{width + 4}"'
        f' height="{height + 4}" aria-hidden="true">'
    )
