"""A whole view as one SVG, for files: pages show the same as several pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil

import numpy as np
from numpy.typing import NDArray

from app.picture.colour_scale import heat_class, quantise, text_class
from app.picture.heatmap import block_maxima, heatmap, thumbnail, thumbnail_side
from app.picture.links import token_links
from app.picture.map_layout import Axis, HeatmapLayout
from app.picture.number_format import format_cell
from app.picture.text_width import shorten, text_width

_MAX_COLUMNS, _GAP, _TITLE_HEIGHT, _THUMBNAIL_GAP = 4, 24, 26, 8
_ROW_NAME_WIDTH = 70
_WORD_HEIGHT, _ROW_HEIGHT, _WORD_GAP = 38, 52, 6
_FONT_SIZE, _MAX_WORD_WIDTH = 12.0, 100


@dataclass(frozen=True)
class HeadSet:
    """The heads of one layer: `maps` (n_heads, n, n) over the tokens of `axis`, the chosen `head`,
    and the chosen word's attention `word_rows` (n_heads, n_words) over `words`.
    """

    maps: NDArray[np.floating]
    head: int
    axis: Axis
    word_rows: NDArray[np.floating]
    words: Sequence[str]


def figure_svg(layout: str, heads: HeadSet) -> str:
    """Return the SVG of a layout of one layer.

    "grid" shows the maps of all heads, "map" and "lines" the chosen head, "strip" the chosen word's
    attention in every head.
    """
    if layout == "strip":
        return _strips(heads.word_rows, heads.words)
    if layout == "lines":
        return token_links(heads.maps[heads.head], heads.axis)
    heatmap_layout = HeatmapLayout(heads.axis)
    if layout == "grid":
        return _grid(heads.maps, heatmap_layout)
    return heatmap(heads.maps[heads.head], heatmap_layout)


def overview_svg(layers: Sequence[NDArray[np.floating]]) -> str:
    """Return the SVG of a thumbnail of every head: a row for each layer's maps (n_heads, n, n)."""
    rows = [[block_maxima(weights) for weights in maps] for maps in layers]
    n_heads, step = len(rows[0]), thumbnail_side(len(rows[0][0])) + _THUMBNAIL_GAP
    parts = [_name(_ROW_NAME_WIDTH + head * step, 16, f"{head}") for head in range(n_heads)]
    for layer, maps in enumerate(rows):
        y = _TITLE_HEIGHT + layer * step
        parts.append(_name(0, y + 16, f"Layer {layer}"))
        for head, weights in enumerate(maps):
            parts.append(_at(_ROW_NAME_WIDTH + head * step, y, thumbnail(weights)))
    width, height = _ROW_NAME_WIDTH + n_heads * step, _TITLE_HEIGHT + len(rows) * step
    return _svg(width, height, "".join(parts))


def _grid(maps: NDArray[np.floating], layout: HeatmapLayout) -> str:
    """Return the maps in rows of up to `_MAX_COLUMNS`, each with its head's number above it."""
    width, height = layout.width + _GAP, layout.height + _TITLE_HEIGHT + _GAP
    n_columns = min(_MAX_COLUMNS, len(maps))
    n_rows = -(-len(maps) // n_columns)
    parts = []
    for head, weights in enumerate(maps):
        x, y = head % n_columns * width, head // n_columns * height
        parts.append(_name(x, y + 16, f"Head {head}"))
        parts.append(_at(x, y + _TITLE_HEIGHT, heatmap(weights, layout)))
    return _svg(n_columns * width - _GAP, n_rows * height - _GAP, "".join(parts))


def _strips(word_rows: NDArray[np.floating], words: Sequence[str]) -> str:
    """Return one word's attention in each head: the sentence, each word coloured by its weight."""
    words = [shorten(word, _FONT_SIZE, _MAX_WORD_WIDTH) for word in words]
    widths = [max(40, ceil(text_width(word, _FONT_SIZE)) + 16) for word in words]
    parts = []
    for head, row in enumerate(word_rows):
        y = head * _ROW_HEIGHT
        parts.append(_name(0, y + 24, f"Head {head}"))
        parts += _strip(row, words, widths, y)
    width = _ROW_NAME_WIDTH + sum(widths) + _WORD_GAP * len(words)
    content = f'<g transform="translate(2 2)">{"".join(parts)}</g>'
    return _svg(width, len(word_rows) * _ROW_HEIGHT, content)


def _strip(
    row: NDArray[np.floating], words: Sequence[str], widths: Sequence[int], y: int
) -> list[str]:
    parts = []
    x, top_index = _ROW_NAME_WIDTH, int(row.argmax())
    for index, (word, level) in enumerate(zip(words, quantise(row).tolist(), strict=True)):
        middle, width = x + widths[index] // 2, widths[index]
        number_class = f"number {text_class(level)}"
        parts.append(
            f'<g class="cells"><path class="{heat_class(level)}" stroke-width="{_WORD_HEIGHT}"'
            f' d="M{x} {y + _WORD_HEIGHT // 2}h{width}"/></g>'
            f'<text class="{number_class}" x="{middle}" y="{y + 17}">'
            f"{escape(word)}</text>"
            f'<text class="{number_class}" x="{middle}" y="{y + 32}">'
            f"{escape(format_cell(float(row[index])))}</text>"
        )
        if index == top_index:
            outline = f'x="{x - 1}" y="{y - 1}" width="{width + 2}" height="{_WORD_HEIGHT + 2}"'
            parts.append(f'<rect class="maximum" {outline}/>')
        x += width + _WORD_GAP
    return parts


def _name(x: int, y: int, text: str) -> str:
    return f'<text class="name" x="{x}" y="{y}">{text}</text>'


def _at(x: int, y: int, svg: str) -> str:
    """Return a picture at a position inside another one."""
    return svg.replace("<svg ", f'<svg x="{x}" y="{y}" ', 1)


def _svg(width: int, height: int, content: str) -> str:
    return (
        f'<svg class="map map-whole" viewBox="0 0 {width + 4} {height + 4}" width="{width + 4}"'
        f' height="{height + 4}" aria-hidden="true">{content}</svg>'
    )
