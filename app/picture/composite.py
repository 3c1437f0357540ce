"""A view's picture in one piece, for files: what a page shows as several pictures, joined."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from app.picture.heatmap import Axis, HeatmapLayout, downsampled_thumbnail, heatmap, truncate_label
from app.picture.links import token_links
from app.picture.number_format import format_cell, quantise, text_class

_SVG_SIZE = re.compile(r'<svg class="[^"]*" viewBox="0 0 (\d+) (\d+)"')
_MAX_COLUMNS, _GAP, _TITLE_HEIGHT, _THUMBNAIL_GAP = 4, 24, 26, 8
_LETTER_WIDTH, _WORD_HEIGHT, _ROW_HEIGHT = 7.6, 38, 52


def overview(layers: Sequence[NDArray[np.floating]]) -> str:
    """SVG of small maps of every head (n_heads, n, n) of every layer, a row a layer."""
    rows = [[downsampled_thumbnail(weights) for weights in maps] for maps in layers]
    match = _SVG_SIZE.match(rows[0][0])
    if not match:
        raise ValueError("this is no picture of ours")
    side, left, top = int(match[1]) + _THUMBNAIL_GAP, 70, _TITLE_HEIGHT
    parts = [
        f'<text class="name" x="{left + head * side}" y="16">{head}</text>'
        for head in range(len(rows[0]))
    ]
    for layer, thumbnails in enumerate(rows):
        y = top + layer * side
        parts.append(f'<text class="name" x="0" y="{y + 16}">Layer {layer}</text>')
        for head, thumbnail in enumerate(thumbnails):
            parts.append(thumbnail.replace("<svg ", f'<svg x="{left + head * side}" y="{y}" ', 1))
    width, height = left + len(rows[0]) * side, top + len(rows) * side
    return _svg_tag(width, height) + "".join(parts) + "</svg>"


@dataclass(frozen=True)
class HeadSet:
    """The heads of a layer: maps (n_heads, n, n) of tokens, the chosen head, and what one word
    reads in each, `rows` (n_heads, n_words) over `words`.
    """

    maps: NDArray[np.floating]
    head: int
    axis: Axis
    word_rows: NDArray[np.floating]
    words: Sequence[str]


def figure_svg(layout: str, heads: HeadSet) -> str:
    """SVG of "grid", the maps of all heads; "map" or "lines" of the chosen one; or "strip", what
    the word reads in every head.
    """
    if layout == "strip":
        return _strips(heads.word_rows, heads.words)
    if layout == "lines":
        return token_links(heads.maps[heads.head], heads.axis)
    heatmap_layout = HeatmapLayout(heads.axis)
    if layout == "grid":
        return _grid([heatmap(weights, heatmap_layout) for weights in heads.maps])
    return heatmap(heads.maps[heads.head], heatmap_layout)


def _grid(pictures: Sequence[str]) -> str:
    """Pictures of one size side by side, each with its head's number above it."""
    match = _SVG_SIZE.match(pictures[0])
    if not match:
        raise ValueError("this is no picture of ours")
    width, height = int(match[1]) + _GAP, int(match[2]) + _TITLE_HEIGHT + _GAP
    columns = min(_MAX_COLUMNS, len(pictures))
    parts = []
    for number, picture in enumerate(pictures):
        x, y = number % columns * width, number // columns * height
        inner = picture.replace("<svg ", f'<svg x="{x}" y="{y + _TITLE_HEIGHT}" ', 1)
        parts.append(f'<text class="name" x="{x}" y="{y + 16}">Head {number}</text>{inner}')
    n_rows = -(-len(pictures) // columns)
    return _svg_tag(columns * width - _GAP, n_rows * height - _GAP) + "".join(parts) + "</svg>"


def _strips(word_rows: NDArray[np.floating], words: Sequence[str]) -> str:
    """What one word reads in each head: the sentence, every word on the heat of its weight."""
    widths = [max(40, round(len(truncate_label(word)) * _LETTER_WIDTH) + 16) for word in words]
    left = 70
    parts = []
    for head, row in enumerate(word_rows):
        y = head * _ROW_HEIGHT
        parts.append(f'<text class="name" x="0" y="{y + 24}">Head {head}</text>')
        x, top_index = left, int(row.argmax())
        for index, (word, level) in enumerate(zip(words, quantise(row).tolist(), strict=True)):
            middle, width = x + widths[index] // 2, widths[index]
            css_class = text_class(level)
            parts.append(
                f'<g class="cells"><path class="heat-{level}" stroke-width="{_WORD_HEIGHT}"'
                f' d="M{x} {y + _WORD_HEIGHT // 2}h{width}"/></g>'
                f'<text class="number {css_class}" x="{middle}" y="{y + 17}">'
                f"{escape(truncate_label(word))}</text>"
                f'<text class="number {css_class}" x="{middle}" y="{y + 32}">'
                f"{escape(format_cell(float(row[index])))}</text>"
            )
            if index == top_index:
                outline = f'x="{x - 1}" y="{y - 1}" width="{width + 2}" height="{_WORD_HEIGHT + 2}"'
                parts.append(f'<rect class="maximum" {outline}/>')
            x += width + 6
    width = left + sum(widths) + 6 * len(words)
    return (
        _svg_tag(width, len(word_rows) * _ROW_HEIGHT)
        + f'<g transform="translate(2 2)">{"".join(parts)}</g></svg>'
    )


def _svg_tag(width: int, height: int) -> str:
    return (
        f'<svg class="map map-whole" viewBox="0 0 {width + 4} {height + 4}" width="{width + 4}"'
        f' height="{height + 4}" aria-hidden="true">'
    )
