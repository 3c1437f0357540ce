"""Matrices and words in, SVG and HTML out; knows neither models nor lessons nor the web.

Every string that is put in is escaped here.
"""

from app.picture.heatmap import (
    Axis,
    HeatmapLayout,
    downsampled_thumbnail,
    heatmap,
    signed_map,
    signed_thumbnail,
    thumbnail,
)
from app.picture.links import token_links
from app.picture.number_format import format_number, format_weight, quantise, text_class
from app.picture.strip import word_strip

__all__ = [
    "Axis",
    "HeatmapLayout",
    "downsampled_thumbnail",
    "format_number",
    "format_weight",
    "heatmap",
    "quantise",
    "signed_map",
    "signed_thumbnail",
    "text_class",
    "thumbnail",
    "token_links",
    "word_strip",
]
