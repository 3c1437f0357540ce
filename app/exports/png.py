"""SVG to PNG, drawn by a child process that runs this file.

resvg holds the interpreter lock while it draws and aborts the process when memory runs out. A child
process starts in 20 ms, leaves the server responsive, and returns its memory when it ends.
"""

import re
import subprocess
import sys
from pathlib import Path

MAX_PIXELS = 20_000_000
"""Largest picture: drawing it takes about 2 s and 200 MB."""

TIMEOUT_SECONDS = 30.0

_SVG_SIZE = re.compile(r'<svg [^>]*?width="([0-9.]+)" height="([0-9.]+)"')


def svg_to_png(svg: str, scale: int, font: Path) -> bytes:
    """Return `svg` drawn as PNG, `scale` pixels for each unit; text is set in `font`.

    Raises ValueError with a message for readers if the picture is too large or drawing fails.
    """
    width, height = (round(side * scale) for side in _svg_size(svg))
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"This picture would have {width:,} × {height:,} pixels. At most"
            f" {MAX_PIXELS // 1_000_000} million are drawn. Choose a smaller scale, one head"
            " instead of all, or SVG, which is sharp at any size."
        )
    command = [sys.executable, "-P", __file__, str(scale), str(font)]
    try:
        completed = subprocess.run(  # noqa: S603  # no argument comes from a request
            command, input=svg.encode(), capture_output=True, timeout=TIMEOUT_SECONDS, check=True
        )
    except subprocess.SubprocessError as error:
        raise ValueError(
            "This picture could not be drawn. Choose a smaller scale, or SVG."
        ) from error
    return completed.stdout


def _svg_size(svg: str) -> tuple[float, float]:
    match = _SVG_SIZE.match(svg)
    if not match:
        raise ValueError("This SVG has no width and height.")
    return float(match[1]), float(match[2])


def _render_stdin(scale: str, font: str) -> None:
    import resvg_py  # noqa: PLC0415  # 1 MB that only the child process needs

    svg = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(
        resvg_py.svg_to_bytes(svg_string=svg, zoom=int(scale), font_files=[font])
    )


if __name__ == "__main__":
    _render_stdin(*sys.argv[1:])
