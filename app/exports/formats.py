"""The file formats that a view can be exported to, by file name."""

from collections.abc import Callable
from dataclasses import dataclass

from app.exports.archive import notebook_json, reproduction_archive, script
from app.exports.csv_json_npz import to_csv, to_json, to_npz
from app.exports.figure import ExportOptions, FigureRenderer
from app.lesson import LabState

FileContent = str | bytes
RenderFunction = Callable[[FigureRenderer, LabState, ExportOptions], FileContent]
"""Render a view to a file. Raises ValueError with a message for readers if that is impossible."""


@dataclass(frozen=True)
class ExportFormat:
    """One kind of file: its media type, its label on pages, and how it is rendered."""

    media_type: str
    label: str
    render: RenderFunction

    @property
    def is_png(self) -> bool:
        return self.media_type == "image/png"


def _numbers(render: Callable[[LabState], FileContent]) -> RenderFunction:
    return lambda _renderer, state, _options: render(state.displayed)


def _text(render: Callable[[], str]) -> RenderFunction:
    return lambda _renderer, _state, _options: render()


def _archive(renderer: FigureRenderer, state: LabState, options: ExportOptions) -> bytes:
    return reproduction_archive(state.displayed, options.layout, renderer.css(options))


FORMATS = {
    "map.svg": ExportFormat("image/svg+xml", "SVG", FigureRenderer.svg),
    "map.png": ExportFormat("image/png", "PNG", FigureRenderer.png),
    "row.svg": ExportFormat("image/svg+xml", "SVG", FigureRenderer.row_svg),
    "row.png": ExportFormat("image/png", "PNG", FigureRenderer.row_png),
    "difference.svg": ExportFormat("image/svg+xml", "SVG", FigureRenderer.difference_svg),
    "difference.png": ExportFormat("image/png", "PNG", FigureRenderer.difference_png),
    "map.csv": ExportFormat("text/csv", "CSV", _numbers(to_csv)),
    "view.json": ExportFormat("application/json", "JSON", _numbers(to_json)),
    "view.npz": ExportFormat("application/zip", "NumPy arrays (NPZ)", _numbers(to_npz)),
    "reproduce.zip": ExportFormat(
        "application/zip", "Script, notebook and all they need", _archive
    ),
    "reproduce.py": ExportFormat("text/x-python", "The script alone", _text(script)),
    "reproduce.ipynb": ExportFormat(
        "application/x-ipynb+json", "The notebook alone", _text(notebook_json)
    ),
}
"""Export formats by the file name in a URL."""
