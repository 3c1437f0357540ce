"""SVG and HTML of matrices and words. It imports no other package of the app.

Functions escape every string they receive.
"""

from app.picture.colour_scale import quantise, text_class
from app.picture.heatmap import (
    downsampled_thumbnail,
    heatmap,
    signed_map,
    signed_thumbnail,
    thumbnail,
)
from app.picture.links import token_links
from app.picture.map_layout import Area, Axis, HeatmapLayout
from app.picture.number_format import format_cell, format_number, format_signed, format_weight
from app.picture.strip import word_strip

__all__ = [
    "Area",
    "Axis",
    "HeatmapLayout",
    "downsampled_thumbnail",
    "format_cell",
    "format_number",
    "format_signed",
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
