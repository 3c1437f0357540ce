"""Figures of a view as standalone SVG and PNG files."""

from dataclasses import dataclass
from pathlib import Path

from app.exports.metadata import figure_title, row_title
from app.exports.png import svg_to_png
from app.lesson import LabState, compare
from app.lesson.labs.row_figure import row_figure
from app.picture.composite import HeadSet, figure_svg, overview_svg
from app.picture.standalone import standalone_css, standalone_svg

PNG_SCALES = ("1", "2", "4")


@dataclass(frozen=True)
class ExportOptions:
    """Appearance of an exported figure; `scale` multiplies its size in pixels (PNG only)."""

    theme: str
    heat: str
    scale: int
    layout: str


@dataclass(frozen=True)
class FigureRenderer:
    """Draws figures outside of pages, in the colours and the font of the site."""

    map_css: str
    font_file: Path

    @classmethod
    def from_static_folder(cls, static: Path) -> "FigureRenderer":
        map_css = (static / "style" / "map.css").read_text(encoding="utf-8")
        return cls(map_css, static / "vendor" / "inter.ttf")

    def css(self, options: ExportOptions) -> str:
        return standalone_css(self.map_css, options.theme, options.heat)

    def svg(self, state: LabState, options: ExportOptions) -> str:
        return view_svg(state.displayed, options.layout, self.css(options))

    def difference_svg(self, state: LabState, options: ExportOptions) -> str:
        return difference_svg(state, self.css(options))

    def row_svg(self, state: LabState, options: ExportOptions) -> str:
        return row_svg(state.displayed, self.css(options))

    def png(self, state: LabState, options: ExportOptions) -> bytes:
        return svg_to_png(self.svg(state, options), options.scale, self.font_file)

    def difference_png(self, state: LabState, options: ExportOptions) -> bytes:
        return svg_to_png(self.difference_svg(state, options), options.scale, self.font_file)

    def row_png(self, state: LabState, options: ExportOptions) -> bytes:
        return svg_to_png(self.row_svg(state, options), options.scale, self.font_file)


def view_svg(state: LabState, layout: str, css: str) -> str:
    """Return the figure of a view as standalone SVG; `layout` is one of `LAYOUTS`."""
    if layout == "overview":
        return standalone_svg(overview_svg(state.all_maps), css, figure_title(state))
    heads = HeadSet(state.maps, state.head, state.axis, *state.query_word_attention)
    return standalone_svg(figure_svg(layout, heads), css, figure_title(state))


def row_svg(state: LabState, css: str) -> str:
    """Return the row of the chosen word in the chosen head as standalone SVG."""
    return standalone_svg(row_figure(state).svg, css, row_title(state))


def difference_svg(state: LabState, css: str) -> str:
    """Return the chosen head's map minus the compared head's map as standalone SVG.

    Raises ValueError if no head is chosen to compare with.
    """
    comparison = compare(state)
    if comparison is None:
        raise ValueError("No head is chosen to compare with: choose one under “Compare”.")
    title = f"{figure_title(state.displayed)} Minus head {comparison.head} of {comparison.model}."
    return standalone_svg(comparison.map, css, title)
