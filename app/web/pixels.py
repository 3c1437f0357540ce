"""SVG in, PNG out, drawn by a process of its own, which this very file is.

The library that draws lets nothing else of its process run meanwhile, and ends it where memory is
short. One that does nothing else starts in 20 ms, and gives all it took back.
"""

import re
import subprocess
import sys
from pathlib import Path

MAX_PIXELS = 20_000_000
"""Pixels of one picture: two seconds of drawing and about 200 MB."""

TIMEOUT_SECONDS = 30.0
"""Seconds until a drawing is given up."""

_SVG_SIZE = re.compile(r'<svg [^>]*?width="([0-9.]+)" height="([0-9.]+)"')


def svg_to_png(svg: str, scale: int, font: Path) -> bytes:
    """Raises `ValueError`, in plain words, if the picture is too large or cannot be drawn."""
    width, height = (round(side * scale) for side in _svg_size(svg))
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"This picture would have {width:,} × {height:,} pixels, and no more than"
            f" {MAX_PIXELS // 1_000_000} million are drawn. Ask for a smaller scale, for one head"
            " instead of all, or for SVG, which is sharp at any size."
        )
    command = [sys.executable, "-P", __file__, str(scale), str(font)]
    try:
        completed = subprocess.run(  # noqa: S603  # no word of it comes from outside
            command, input=svg.encode(), capture_output=True, timeout=TIMEOUT_SECONDS, check=True
        )
    except subprocess.SubprocessError as error:
        raise ValueError(
            "This picture could not be drawn. Ask for a smaller scale, or for SVG."
        ) from error
    return completed.stdout


def _svg_size(svg: str) -> tuple[float, float]:
    match = _SVG_SIZE.match(svg)
    if not match:
        raise ValueError("this is no picture of ours")
    return float(match[1]), float(match[2])


def _render_stdin(scale: str, font: str) -> None:
    import resvg_py  # noqa: PLC0415  # a megabyte that only the other process needs

    svg = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(
        resvg_py.svg_to_bytes(svg_string=svg, zoom=int(scale), font_files=[font])
    )


if __name__ == "__main__":
    _render_stdin(*sys.argv[1:])
