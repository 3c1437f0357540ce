"""The browser that tests and screenshots drive: found on the machine, else installed.

python -m tests.chromium
"""

import os
import shutil
import subprocess
import sys

BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """The path of a browser on this machine; None leaves the choice to Playwright's own."""
    return next(filter(None, map(shutil.which, BROWSER_NAMES)), None)


def launch_options() -> dict[str, object]:
    """What Playwright's `chromium.launch` is given."""
    flags = ["--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    options: dict[str, object] = {"args": [*flags, "--no-sandbox"] if as_root else flags}
    if path := find_browser():
        options["executable_path"] = path
    return options


def install() -> None:
    """Playwright's Chromium, or Debian's where that cannot be fetched."""
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    if subprocess.run(command, check=False).returncode == 0:
        return
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        subprocess.run([apt, "update", "-qq"], check=True)
        subprocess.run([apt, "install", "-y", "-qq", "chromium"], check=True)
        return
    raise SystemExit("No Chromium was found or could be installed; install one and try again.")


if __name__ == "__main__":
    if path := find_browser():
        sys.stdout.write(f"Browser for the tests: {path}\n")
    else:
        install()
