"""A figure as an SVG file that needs no stylesheet: its rules and colours are inside.

SVG programs support neither custom properties nor themes, so all colours are
written out.
"""

from html import escape

from app.picture.oklab import to_hex
from app.picture.palette import (
    HEAT_MIXTURES,
    SIGNED_MIXTURES,
    TEXT_COLOURS,
    THEME_COLOURS,
    scale_stops,
)


def standalone_svg(svg: str, css: str, title: str) -> str:
    """Return a figure with `css`, a background and `title` inside.

    Raises ValueError if `svg` is not an SVG element.
    """
    if not svg.startswith("<svg "):
        raise ValueError("The figure is not an SVG element.")
    attributes, _, content = svg.removeprefix("<svg ").partition(">")
    attributes = attributes.replace(' aria-hidden="true"', ' role="img"')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}><title>{escape(title)}</title>'
        f'<style>{css}</style><rect class="paper" width="100%" height="100%"/>'
        f"{content}\n"
    )


def standalone_css(map_css: str, theme: str, heat: str) -> str:
    """Return the rules of `map_css` (`static/style/map.css`) and of every level's class.

    Each `var(--name)` is replaced by its colour in one theme and heat scale. Raises ValueError for
    an unknown theme or heat scale, or a variable that is not in the palette.
    """
    stops = scale_stops(theme, heat)
    variables = {name: colour.in_theme(theme) for name, colour in THEME_COLOURS.items()}
    variables |= {name: to_hex(colour.to_oklab()) for name, colour in stops.items()}
    rules = [
        f".paper {{ fill: {variables['card']}; }}",
        _without_header(map_css),
        *(
            f".cells .{name} {{ stroke: {mixture.to_hex(stops)}; }}"
            for name, mixture in HEAT_MIXTURES.items()
        ),
        *(
            f".map .{kind}.{name} {{ {property_name}: {colour.in_theme(theme)}; }}"
            for name, colour in TEXT_COLOURS.items()
            for kind, property_name in (("number", "fill"), ("minus", "stroke"))
        ),
        *(
            f".cells .{name} {{ stroke: {mixture.to_hex(stops)}; }}"
            for name, mixture in SIGNED_MIXTURES.items()
        ),
    ]
    css = "\n".join(rules)
    for name, colour in variables.items():
        css = css.replace(f"var(--{name})", colour)
    if "var(" in css:
        raise ValueError("static/style/map.css uses a variable that is not in the palette.")
    return css


def _without_header(css: str) -> str:
    """Return a stylesheet without the comment at its top and the final newline."""
    rules = css.partition("*/\n")[2] if css.startswith("/*") else css
    return rules.rstrip()
