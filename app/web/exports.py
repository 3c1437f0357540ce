"""A view to take away: which files there are, and how an address asks for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.lesson import LabState, exports
from app.lesson.reproduce import notebook_text, script
from app.picture.standalone import HEATS, THEMES, resolved_css
from app.web import pixels
from app.web.state.query_params import Problem, parse_choice

PNG_SCALES = ("1", "2", "4")


@dataclass(frozen=True)
class ExportOptions:
    """What a picture looks like; `scale` multiplies its size in pixels."""

    theme: str
    heat: str
    scale: int
    layout: str


def parse_export_options(
    query: Mapping[str, str], layout: str, problems: list[Problem]
) -> ExportOptions:
    def choice(name: str, allowed: tuple[str, ...]) -> str:
        return parse_choice(name, query.get(name, allowed[0]), allowed, problems) or allowed[0]

    return ExportOptions(
        choice("theme", THEMES), choice("heat", HEATS), int(choice("scale", PNG_SCALES)), layout
    )


@dataclass(frozen=True)
class FigureRenderer:
    """Draws pictures outside of pages, by the site's own styles and font."""

    variables_css: str
    map_css: str
    font_file: Path

    @classmethod
    def from_static_folder(cls, static: Path) -> "FigureRenderer":
        styles = static / "style"
        variable_sheets = [
            (styles / name).read_text(encoding="utf-8") for name in ("heat.css", "site.css")
        ]
        map_css = (styles / "map.css").read_text(encoding="utf-8")
        return cls("\n".join(variable_sheets), map_css, static / "vendor" / "inter.ttf")

    def css(self, options: ExportOptions) -> str:
        return resolved_css(self.variables_css, self.map_css, options.theme, options.heat)

    def svg(self, lab_state: LabState, options: ExportOptions) -> str:
        return exports.svg(lab_state.displayed, options.layout, self.css(options))

    def difference_svg(self, lab_state: LabState, options: ExportOptions) -> str:
        return exports.difference_svg(lab_state, self.css(options))

    def png(self, lab_state: LabState, options: ExportOptions) -> bytes:
        return self._rasterise(self.svg(lab_state, options), options)

    def difference_png(self, lab_state: LabState, options: ExportOptions) -> bytes:
        return self._rasterise(self.difference_svg(lab_state, options), options)

    def _rasterise(self, svg: str, options: ExportOptions) -> bytes:
        return pixels.svg_to_png(svg, options.scale, self.font_file)


Content = str | bytes
RenderFunction = Callable[[FigureRenderer, LabState, ExportOptions], Content]
"""Makes a file of a view in a look. Raises `ValueError`, in plain words, if it cannot."""


@dataclass(frozen=True)
class ExportFormat:
    """One kind of file: what it is to a browser, and to a reader."""

    media_type: str
    label: str
    render: RenderFunction

    @property
    def is_raster(self) -> bool:
        return self.media_type == "image/png"


def _ignoring_style(render: Callable[[LabState], Content]) -> RenderFunction:
    """What looks the same in every look."""
    return lambda _renderer, lab_state, _options: render(lab_state.displayed)


def _reproduction_archive(
    renderer: FigureRenderer, lab_state: LabState, options: ExportOptions
) -> bytes:
    return exports.reproduction_archive(lab_state.displayed, options.layout, renderer.css(options))


FORMATS = {
    "map.svg": ExportFormat("image/svg+xml", "SVG", FigureRenderer.svg),
    "map.png": ExportFormat("image/png", "PNG", FigureRenderer.png),
    "difference.svg": ExportFormat("image/svg+xml", "SVG", FigureRenderer.difference_svg),
    "difference.png": ExportFormat("image/png", "PNG", FigureRenderer.difference_png),
    "map.csv": ExportFormat("text/csv", "CSV", _ignoring_style(exports.as_csv)),
    "view.json": ExportFormat("application/json", "JSON", _ignoring_style(exports.as_json)),
    "view.npz": ExportFormat("application/zip", "NumPy arrays (NPZ)", _ignoring_style(exports.npz)),
    "reproduce.zip": ExportFormat(
        "application/zip", "Script, notebook and all they need", _reproduction_archive
    ),
    "reproduce.py": ExportFormat(
        "text/x-python", "The script alone", _ignoring_style(lambda _: script())
    ),
    "reproduce.ipynb": ExportFormat(
        "application/x-ipynb+json", "The notebook alone", _ignoring_style(lambda _: notebook_text())
    ),
}
"""By the name that an address asks for."""
