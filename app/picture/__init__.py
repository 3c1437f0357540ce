"""Matrices and words in, SVG and HTML out; knows neither models nor lessons nor the web.

Every string that is put in is escaped here.
"""

from app.picture.heatmap import (
    Axis,
    HeatmapFrame,
    heatmap,
    miniature,
    signed_map,
    signed_thumbnail,
    thumbnail,
)
from app.picture.links import token_lines
from app.picture.number_format import ink, levels, number, plain
from app.picture.strip import strip

__all__ = [
    "Axis",
    "HeatmapFrame",
    "heatmap",
    "ink",
    "levels",
    "miniature",
    "number",
    "plain",
    "signed_map",
    "signed_thumbnail",
    "strip",
    "thumbnail",
    "token_lines",
]
