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
_CLASS_OF_COLOUR = re.compile(r"\.((?:heat|rise|fall|on)-\w+) \{ --(?:on-)?heat: ([^;]+); \}")
_HEAT = re.compile(r'\[data-heat="([a-z]+)"\]\s*\{([^}]*)\}')
_MIX = re.compile(r"color-mix\(in oklab, (.+?) ([\d.]+)%, (.+)\)")
_OKLCH = re.compile(r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)")
_OWN_COLOUR = re.compile(r"\s*[\w-]+: var\(--(?:on-)?heat\);")
_OPENING = re.compile(r"<svg ([^>]*)>")

Lab = tuple[float, float, float]


def embedded(svg: str, rules: str, title: str) -> str:
    """The picture with its rules, a ground and a title inside; it needs nothing else.

    Raises `ValueError` if it is no picture of ours.
    """
    found = _OPENING.match(svg)
    if not found:
        raise ValueError("this is no SVG")
    opening = found[1].replace(' aria-hidden="true"', ' role="img"')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {opening}><title>{escape(title)}</title>'
        f'<style>{rules}</style><rect class="paper" width="100%" height="100%"/>'
        f"{svg[found.end() :]}\n"
    )


def plain_rules(styles: str, painting: str, theme: str, heat: str) -> str:
    """The rules of `painting` without names and mixtures, those of classes of colour added.

    `styles` is where the site's colours are declared. Raises `ValueError` for a theme or a heat
    that there is not.
    """
    if theme not in THEMES or heat not in HEATS:
        raise ValueError(f"themes are {', '.join(THEMES)}; heats are {', '.join(HEATS)}")
    names = _names(styles, heat)
    rules = [f".paper {{ fill: {_plain('var(--card)', names, theme)}; }}"]
    for selector, body in re.findall(r"^([^{}/*\n]+)\{([^}]*)\}", painting, re.MULTILINE):
        # What a cell's own class says of its colour comes below.
        common = _OWN_COLOUR.sub("", body)
        rules.append(f"{selector.strip()} {{{_plain(common, names, theme)}}}")
    for name, value in _CLASS_OF_COLOUR.findall(styles):
        colour = _plain(value, names, theme)
        is_ink = name.startswith("on-")
        rules.append(
            f".map .number.{name} {{ fill: {colour}; }}"
            if is_ink
            else f".map .cells .{name} {{ stroke: {colour}; }}"
        )
    return "\n".join(rules)


def _names(styles: str, heat: str) -> dict[str, str]:
    """Every declared name with its value, as the chosen heat has it."""
    everywhere = _HEAT.sub("", _CLASS_OF_COLOUR.sub("", styles))
    chosen = "".join(body for name, body in _HEAT.findall(styles) if name == heat)
    return dict(_DECLARATION.findall(everywhere) + _DECLARATION.findall(chosen))


def _plain(value: str, names: Mapping[str, str], theme: str) -> str:
    """Names replaced by what they stand for, one theme chosen, mixtures mixed."""
    while "var(" in value:
        value = re.sub(r"var\((--[\w-]+)\)", lambda name: names[name[1]], value)
    while (start := value.find("light-dark(")) >= 0:
        light, dark, end = _arguments(value, start + len("light-dark("))
        value = value[:start] + (light if theme == "light" else dark) + value[end:]
    value = _MIX.sub(lambda mix: _mixed(mix[1], float(mix[2]) / 100, mix[3]), value)
    return _OKLCH.sub(lambda colour: _hex(_lab(colour[0])), value)


def _arguments(text: str, start: int) -> tuple[str, str, int]:
    """The two arguments that begin at `start`, and where their closing bracket ends."""
    depth, comma = 0, start
    for place in range(start, len(text)):
        if text[place] == "(":
            depth += 1
        elif text[place] == "," and not depth:
            comma = place
        elif text[place] == ")":
            if not depth:
                return text[start:comma].strip(), text[comma + 1 : place].strip(), place + 1
            depth -= 1
    raise ValueError(f"a bracket is not closed: {text}")


def _lab(colour: str) -> Lab:
    """OKLab of `oklch(L C h)`. Source: Ottosson 2020, "A perceptual color space"."""
    found = _OKLCH.fullmatch(colour.strip())
    if not found:
        raise ValueError(f"not a colour to mix: {colour}")
    lightness, chroma, hue = map(float, found.groups())
    return lightness, chroma * cos(radians(hue)), chroma * sin(radians(hue))


def _mixed(one: str, share: float, other: str) -> str:
    parts = zip(_lab(one), _lab(other), strict=True)
    lightness, a, b = (share * left + (1 - share) * right for left, right in parts)
    return _hex((lightness, a, b))


def _hex(lab: Lab) -> str:
    """sRGB of an OKLab colour, clipped to what a screen can show. Source: as `_lab`."""
    lightness, a, b = lab
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _gamma(min(1.0, max(0.0, part)))):02x}" for part in linear)


def _gamma(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)
