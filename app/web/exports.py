"""A view to take away: which files there are, and how an address asks for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.lesson import LabState, exports
from app.lesson.reproduce import notebook_text, script
from app.picture.standalone import HEATS, THEMES, resolved_css
from app.web import pixels
from app.web.state.query_params import Problem, read_choice

SCALES = ("1", "2", "4")


@dataclass(frozen=True)
class Look:
    """What a picture looks like; `scale` multiplies its size in pixels."""

    theme: str
    heat: str
    scale: int
    show: str


def read_look(query: Mapping[str, str], show: str, problems: list[Problem]) -> Look:
    def choice(name: str, allowed: tuple[str, ...]) -> str:
        return read_choice(name, query.get(name, allowed[0]), allowed, problems) or allowed[0]

    return Look(choice("theme", THEMES), choice("heat", HEATS), int(choice("scale", SCALES)), show)


@dataclass(frozen=True)
class Studio:
    """Draws pictures outside of pages, by the site's own styles and font."""

    styles: str
    painting: str
    font: Path

    @classmethod
    def of(cls, static: Path) -> "Studio":
        style = static / "style"
        declared = [(style / name).read_text(encoding="utf-8") for name in ("heat.css", "site.css")]
        painting = (style / "map.css").read_text(encoding="utf-8")
        return cls("\n".join(declared), painting, static / "vendor" / "inter.ttf")

    def rules(self, look: Look) -> str:
        return resolved_css(self.styles, self.painting, look.theme, look.heat)

    def svg(self, view: LabState, look: Look) -> str:
        return exports.svg(view.displayed, look.show, self.rules(look))

    def difference(self, view: LabState, look: Look) -> str:
        return exports.difference_svg(view, self.rules(look))

    def png(self, view: LabState, look: Look) -> bytes:
        return self._pixels(self.svg(view, look), look)

    def difference_png(self, view: LabState, look: Look) -> bytes:
        return self._pixels(self.difference(view, look), look)

    def _pixels(self, svg: str, look: Look) -> bytes:
        return pixels.png(svg, look.scale, self.font)


Content = str | bytes
Maker = Callable[[Studio, LabState, Look], Content]
"""Makes a file of a view in a look. Raises `ValueError`, in plain words, if it cannot."""


@dataclass(frozen=True)
class Kind:
    """One kind of file: what it is to a browser, and to a reader."""

    media_type: str
    label: str
    make: Maker

    @property
    def is_drawn(self) -> bool:
        return self.media_type == "image/png"


def _plain(of_view: Callable[[LabState], Content]) -> Maker:
    """What looks the same in every look."""
    return lambda _studio, view, _look: of_view(view.displayed)


def _reproduction(studio: Studio, view: LabState, look: Look) -> bytes:
    return exports.reproduction_archive(view.displayed, look.show, studio.rules(look))


KINDS = {
    "map.svg": Kind("image/svg+xml", "SVG", Studio.svg),
    "map.png": Kind("image/png", "PNG", Studio.png),
    "difference.svg": Kind("image/svg+xml", "SVG", Studio.difference),
    "difference.png": Kind("image/png", "PNG", Studio.difference_png),
    "map.csv": Kind("text/csv", "CSV", _plain(exports.as_csv)),
    "view.json": Kind("application/json", "JSON", _plain(exports.as_json)),
    "view.npz": Kind("application/zip", "NumPy arrays (NPZ)", _plain(exports.npz)),
    "reproduce.zip": Kind("application/zip", "Script, notebook and all they need", _reproduction),
    "reproduce.py": Kind("text/x-python", "The script alone", _plain(lambda _: script())),
    "reproduce.ipynb": Kind(
        "application/x-ipynb+json", "The notebook alone", _plain(lambda _: notebook_text())
    ),
}
"""By the name that an address asks for."""
