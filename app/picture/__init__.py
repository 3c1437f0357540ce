"""Matrices and words in, SVG and HTML out; knows neither models nor lessons nor the web.

Every string that is put in is escaped here.
"""

from app.picture.colour import ink, levels, plain
from app.picture.heatmap import Axis, HeatmapFrame, heatmap
from app.picture.strip import strip

__all__ = ["Axis", "HeatmapFrame", "heatmap", "ink", "levels", "plain", "strip"]
