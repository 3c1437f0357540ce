"""The palette as a stylesheet: custom properties, and a class for each level.

Pages use `static/style/palette.css`, which `make palette` writes with this module; a test fails if
the file is out of date.
"""

import sys
from collections.abc import Iterator

from app.picture.oklab import OKLCH
from app.picture.palette import (
    COLD,
    HEAT_MIXTURES,
    HEAT_SCALES,
    SIGNED_COLOURS,
    SIGNED_MIXTURES,
    TEXT_COLOURS,
    THEME_COLOURS,
    HeatScale,
    Mixture,
    Themed,
)


def palette_css() -> str:
    """Return the text of `static/style/palette.css`."""
    lines = [
        "/* Generated from app/picture/palette.py by `make palette`. Do not edit. */",
        *_rule(":root", _root_properties()),
        "",
        "/* Other heat scales. */",
    ]
    for name, scale in HEAT_SCALES.items():
        if name != "default":
            lines += _rule(f'[data-heat="{name}"]', _scale_properties(scale))
    lines += ["", "/* Cells by level; text on a cell; values above and below 0. */"]
    lines += [_mixture_rule(name, mixture) for name, mixture in HEAT_MIXTURES.items()]
    lines += [
        f".{name} {{ --on-heat: {_light_dark(colour)}; }}" for name, colour in TEXT_COLOURS.items()
    ]
    lines += [_mixture_rule(name, mixture) for name, mixture in SIGNED_MIXTURES.items()]
    lines += [
        "",
        "/* In exported figures each class has a rule of its own instead. */",
        ".map .cells path { stroke: var(--heat); }",
        ".map .number { fill: var(--on-heat); }",
    ]
    return "\n".join(lines) + "\n"


def _root_properties() -> Iterator[tuple[str, Themed[str] | Themed[OKLCH]]]:
    yield from THEME_COLOURS.items()
    yield "cold", COLD
    yield from _scale_properties(HEAT_SCALES["default"])
    yield from SIGNED_COLOURS.items()


def _scale_properties(scale: HeatScale) -> Iterator[tuple[str, Themed[OKLCH]]]:
    yield "warm", scale.warm
    yield "hot", scale.hot


def _rule(
    selector: str, properties: Iterator[tuple[str, Themed[str] | Themed[OKLCH]]]
) -> Iterator[str]:
    yield f"{selector} {{"
    for name, colour in properties:
        yield f"  --{name}: {_light_dark(colour)};"
    yield "}"


def _light_dark(colour: Themed[str] | Themed[OKLCH]) -> str:
    light, dark = (
        value.css() if isinstance(value, OKLCH) else value for value in (colour.light, colour.dark)
    )
    return light if light == dark else f"light-dark({light}, {dark})"


def _mixture_rule(css_class: str, mixture: Mixture) -> str:
    return (
        f".{css_class} {{ --heat: color-mix(in oklab, var(--{mixture.stop}) {mixture.percent}%,"
        f" var(--{mixture.base})); }}"
    )


if __name__ == "__main__":
    sys.stdout.write(palette_css())
