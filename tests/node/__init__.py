"""Tools that run on Node, which comes from a wheel; each is installed when first asked for."""

import shutil
import sys
from pathlib import Path

from hatch_build import npm_ci

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def node_modules(name: str) -> Path:
    """The `node_modules` of the tool in the folder of that name, beside this file."""
    manifests, folder = HERE / name, Path(sys.prefix) / "node" / name
    stamp = folder / "installed-lock.json"
    lock = (manifests / "package-lock.json").read_text(encoding="utf-8")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != lock:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        npm_ci(manifests, folder, ROOT / ".npmrc")
        stamp.write_text(lock, encoding="utf-8")
    return folder / "node_modules"
