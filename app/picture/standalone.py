"""A picture as a file of its own: the page's own rules for it, with the colours of one theme.

Programs that draw SVG know plain rules and plain colours; the page's styles have names, themes and
mixtures, which are worked out here. Only `embedded` is needed to make a picture again.
"""

import re
from collections.abc import Mapping
from html import escape
from math import cos, radians, sin

THEMES = ("light", "dark")
HEATS = ("default", "cividis", "viridis", "greys")

_DECLARATION = re.compile(r"(--[\w-]+):\s*([^;]+);")
_COLOUR_CLASS = re.compile(r"\.((?:heat|rise|fall|on)-\w+) \{ --(?:on-)?heat: ([^;]+); \}")
_HEAT_BLOCK = re.compile(r'\[data-heat="([a-z]+)"\]\s*\{([^}]*)\}')
_MIX = re.compile(r"color-mix\(in oklab, (.+?) ([\d.]+)%, (.+)\)")
_OKLCH = re.compile(r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)")
_HEAT_DECLARATION = re.compile(r"\s*[\w-]+: var\(--(?:on-)?heat\);")
_SVG_TAG = re.compile(r"<svg ([^>]*)>")

OKLab = tuple[float, float, float]


def standalone_svg(svg: str, css: str, title: str) -> str:
    """The picture with its rules, a ground and a title inside; it needs nothing else.

    Raises `ValueError` if it is no picture of ours.
    """
    match = _SVG_TAG.match(svg)
    if not match:
        raise ValueError("this is no SVG")
    opening = match[1].replace(' aria-hidden="true"', ' role="img"')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {opening}><title>{escape(title)}</title>'
        f'<style>{css}</style><rect class="paper" width="100%" height="100%"/>'
        f"{svg[match.end() :]}\n"
    )


def resolved_css(site_css: str, picture_css: str, theme: str, heat: str) -> str:
    """The rules of `painting` without names and mixtures, those of classes of colour added.

    `styles` is where the site's colours are declared. Raises `ValueError` for a theme or a heat
    that there is not.
    """
    if theme not in THEMES or heat not in HEATS:
        raise ValueError(f"themes are {', '.join(THEMES)}; heats are {', '.join(HEATS)}")
    properties = _custom_properties(site_css, heat)
    rules = [f".paper {{ fill: {_resolve('var(--card)', properties, theme)}; }}"]
    for selector, body in re.findall(r"^([^{}/*\n]+)\{([^}]*)\}", picture_css, re.MULTILINE):
        # What a cell's own class says of its colour comes below.
        common = _HEAT_DECLARATION.sub("", body)
        rules.append(f"{selector.strip()} {{{_resolve(common, properties, theme)}}}")
    for name, value in _COLOUR_CLASS.findall(site_css):
        colour = _resolve(value, properties, theme)
        is_text_class = name.startswith("on-")
        rules.append(
            f".map .number.{name} {{ fill: {colour}; }}"
            if is_text_class
            else f".map .cells .{name} {{ stroke: {colour}; }}"
        )
    return "\n".join(rules)


def _custom_properties(site_css: str, heat: str) -> dict[str, str]:
    """Every declared name with its value, as the chosen heat has it."""
    common_css = _HEAT_BLOCK.sub("", _COLOUR_CLASS.sub("", site_css))
    heat_css = "".join(body for name, body in _HEAT_BLOCK.findall(site_css) if name == heat)
    return dict(_DECLARATION.findall(common_css) + _DECLARATION.findall(heat_css))


def _resolve(value: str, properties: Mapping[str, str], theme: str) -> str:
    """Names replaced by what they stand for, one theme chosen, mixtures mixed."""
    while "var(" in value:
        value = re.sub(r"var\((--[\w-]+)\)", lambda match: properties[match[1]], value)
    while (start := value.find("light-dark(")) >= 0:
        light, dark, end = _light_dark_arguments(value, start + len("light-dark("))
        value = value[:start] + (light if theme == "light" else dark) + value[end:]
    value = _MIX.sub(lambda mix: _mix_colours(mix[1], float(mix[2]) / 100, mix[3]), value)
    return _OKLCH.sub(lambda colour: _hex(_oklab(colour[0])), value)


def _light_dark_arguments(text: str, start: int) -> tuple[str, str, int]:
    """The two arguments that begin at `start`, and where their closing bracket ends."""
    depth, comma = 0, start
    for index in range(start, len(text)):
        if text[index] == "(":
            depth += 1
        elif text[index] == "," and not depth:
            comma = index
        elif text[index] == ")":
            if not depth:
                return text[start:comma].strip(), text[comma + 1 : index].strip(), index + 1
            depth -= 1
    raise ValueError(f"a bracket is not closed: {text}")


def _oklab(colour: str) -> OKLab:
    """OKLab of `oklch(L C h)`. Source: Ottosson 2020, "A perceptual color space"."""
    match = _OKLCH.fullmatch(colour.strip())
    if not match:
        raise ValueError(f"not a colour to mix: {colour}")
    lightness, chroma, hue = map(float, match.groups())
    return lightness, chroma * cos(radians(hue)), chroma * sin(radians(hue))


def _mix_colours(one: str, share: float, other: str) -> str:
    parts = zip(_oklab(one), _oklab(other), strict=True)
    lightness, a, b = (share * left + (1 - share) * right for left, right in parts)
    return _hex((lightness, a, b))


def _hex(oklab: OKLab) -> str:
    """sRGB of an OKLab colour, clipped to what a screen can show. Source: as `_lab`."""
    lightness, a, b = oklab
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return "#" + "".join(
        f"{round(255 * _gamma(min(1.0, max(0.0, channel)))):02x}" for channel in linear
    )


def _gamma(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else float(1.055 * channel ** (1 / 2.4) - 0.055)
