"""The palette as a stylesheet: custom properties, and a class for each level.

Pages use `static/style/palette.css`, which `make palette` writes with this module; a test fails if
the file is out of date. All colours are plain hexadecimal ones, so that browsers without
`light-dark()` and `color-mix()` show the same maps.
"""

import sys
from collections.abc import Iterator

from app.picture.oklab import to_hex
from app.picture.palette import (
    HEAT_MIXTURES,
    HEATS,
    SIGNED_MIXTURES,
    TEXT_COLOURS,
    THEME_COLOURS,
    scale_stops,
)

_LEVEL_CLASSES = (*HEAT_MIXTURES, *SIGNED_MIXTURES)


def palette_css() -> str:
    """Return the text of `static/style/palette.css`."""
    lines = ["/* Generated from app/picture/palette.py by `make palette`. Do not edit. */"]
    for heat in HEATS:
        lines += _themed_rules("" if heat == "default" else f'[data-heat="{heat}"]', heat)
    lines += ["", "/* Cells by level, and the text on them. */"]
    lines += [f".{name} {{ --heat: var(--{name}); }}" for name in _LEVEL_CLASSES]
    lines += [f".{name} {{ --on-heat: var(--{name}); }}" for name in TEXT_COLOURS]
    lines += [
        "",
        "/* In exported figures each class has a rule of its own instead. */",
        ".cells path { stroke: var(--heat); }",
        ".map .number { fill: var(--on-heat); }",
        ".map .minus { stroke: var(--on-heat); }",
    ]
    return "\n".join(lines) + "\n"


def _themed_rules(attribute: str, heat: str) -> Iterator[str]:
    """Yield the rules of one heat scale: for light pages and print, and for dark pages as the
    system or the reader asks.
    """
    dark = _declarations("dark", heat)
    yield f":root{attribute} {{ {_declarations('light', heat)} }}"
    yield (
        "@media screen and (prefers-color-scheme: dark) {"
        f' :root{attribute}:not([data-theme="light"]) {{ {dark} }} }}'
    )
    yield f'@media screen {{ :root{attribute}[data-theme="dark"] {{ {dark} }} }}'


def _declarations(theme: str, heat: str) -> str:
    """Return the custom properties of a theme; those of other scales hold only what differs."""
    properties = dict(_level_colours(theme, heat))
    if heat == "default":
        properties = dict(_theme_colours(theme)) | properties
    else:
        properties = {name: properties[name] for name in HEAT_MIXTURES}
    return " ".join(f"--{name}: {colour};" for name, colour in properties.items())


def _theme_colours(theme: str) -> Iterator[tuple[str, str]]:
    for name, colour in (THEME_COLOURS | TEXT_COLOURS).items():
        yield name, colour.in_theme(theme)
    stops = scale_stops(theme, "default")
    for name in ("cold", "rise", "fall"):
        yield name, to_hex(stops[name].to_oklab())


def _level_colours(theme: str, heat: str) -> Iterator[tuple[str, str]]:
    stops = scale_stops(theme, heat)
    for name, mixture in (HEAT_MIXTURES | SIGNED_MIXTURES).items():
        yield name, mixture.to_hex(stops)


if __name__ == "__main__":
    sys.stdout.write(palette_css())
