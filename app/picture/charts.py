"""Charts as SVG: lines, columns of dots, bars, and shares with confidence intervals.

Colours and fonts come from CSS classes. Each chart is an image with a name: bars and shares are
named with their numbers, lines and dots by their axes, since pages have tables of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

from app.picture.number_format import format_signed

WIDTH = 360
_HEIGHT = 230
_MARGIN_LEFT, _MARGIN_TOP, _MARGIN_BOTTOM = 44, 26, 40
_LINE_NAME_WIDTH = 62
_LINE_NAME_SPACING = 13
_ROW_HEIGHT = 24


@dataclass(frozen=True)
class Series:
    """A line through `points` (x, y) from left to right, with its name at the right end.

    Lines of one `kind` have one style and share one name.
    """

    name: str
    points: Sequence[tuple[float, float]]
    kind: int


@dataclass(frozen=True)
class DotColumn:
    """One column of a dot chart."""

    name: str
    value: float


@dataclass(frozen=True)
class DotLine:
    """Columns of dots, each a name with its values, and a line through their means.

    The line is labelled with `name`. All lines of a chart have the same columns.
    """

    name: str
    columns: Sequence[tuple[str, Sequence[float]]]


@dataclass(frozen=True)
class Bar:
    """One bar of a bar chart; `is_marked` outlines it."""

    name: str
    value: float
    is_marked: bool = False


@dataclass(frozen=True)
class Interval:
    """A share (0 to 1) with its confidence interval and the baselines to compare it with.

    `stands_out` highlights it.
    """

    name: str
    share: float
    low: float
    high: float
    baselines: Sequence[float]
    stands_out: bool


def line_chart(series: Sequence[Series], *, x_label: str, y_label: str) -> str:
    """Return the SVG of lines on common axes; x starts at 0, y need not."""
    y_axis = _YAxis([y for each in series for _, y in each.points])
    max_x = max(x for each in series for x, _ in each.points)
    plot_width = WIDTH - _MARGIN_LEFT - _LINE_NAME_WIDTH

    def position(point: tuple[float, float]) -> tuple[float, float]:
        return round(_MARGIN_LEFT + plot_width * point[0] / max_x, 1), y_axis.y(point[1])

    parts = [*_y_axis_svg(y_axis, y_label, _MARGIN_LEFT + plot_width), _x_label(x_label)]
    for share in (0, 0.5, 1):
        parts.append(_tick_below(_MARGIN_LEFT + plot_width * share, f"{max_x * share:,.0f}"))
    ends = {}
    for each in series:
        path = "L".join(f"{x:g} {y:g}" for x, y in map(position, each.points))
        parts.append(f'<path class="line line-{each.kind}" d="M{path}"/>')
        ends[each.kind] = (position(each.points[-1])[1], each.name)
    return _svg([*parts, *_line_names(ends)], _HEIGHT, f"{y_label} by {x_label}")


def _line_names(ends: dict[int, tuple[float, str]]) -> Iterator[str]:
    """Yield names at the heights where their lines end, moved up where they would overlap."""
    previous_y = float(_HEIGHT)
    for kind, (y, name) in sorted(ends.items(), key=lambda end: end[1], reverse=True):
        previous_y = min(y, previous_y - _LINE_NAME_SPACING)
        yield (
            f'<text class="name name-{kind}" x="{WIDTH - _LINE_NAME_WIDTH + 6}"'
            f' y="{previous_y + 4:g}">'
            f"{escape(name)}</text>"
        )


def dot_chart(
    columns: Sequence[DotColumn], *, x_label: str, y_label: str, from_zero: bool = False
) -> str:
    """Return the SVG of a dot for each column, with a line through them."""
    if not columns:
        return ""
    values = [each.value for each in columns]
    y_axis = _YAxis([0.0, *values] if from_zero else values)
    step = (WIDTH - _MARGIN_LEFT - 10) / len(columns)
    x_positions = [round(_MARGIN_LEFT + step * (index + 0.5), 1) for index in range(len(columns))]
    path = "L".join(
        f"{x:g} {y_axis.y(each.value):g}" for x, each in zip(x_positions, columns, strict=True)
    )
    parts = [*_y_axis_svg(y_axis, y_label, WIDTH - 10), _x_label(x_label)]
    parts.append(f'<path class="line line-0" d="M{path}"/>')
    for x, each in zip(x_positions, columns, strict=True):
        parts.append(_tick_below(x, each.name))
        parts.append(f'<circle class="dot" cx="{x:g}" cy="{y_axis.y(each.value):g}" r="4.5"/>')
    return _svg(parts, _HEIGHT, f"{y_label} by {x_label}")


def dot_line_chart(lines: Sequence[DotLine], *, x_label: str, y_label: str) -> str:
    """Return the SVG of lines through the means of columns of dots, each line with its name."""
    y_axis = _YAxis([value for line in lines for _, values in line.columns for value in values])
    names = [name for name, _ in lines[0].columns]
    step = (WIDTH - _MARGIN_LEFT - 10) / len(names)
    x_positions = [round(_MARGIN_LEFT + step * (index + 0.5), 1) for index in range(len(names))]
    parts = [*_y_axis_svg(y_axis, y_label, WIDTH - 10), _x_label(x_label)]
    parts += [_tick_below(x, name) for x, name in zip(x_positions, names, strict=True)]
    for kind, line in enumerate(lines):
        means = [y_axis.y(sum(values) / len(values)) for _, values in line.columns]
        path = "L".join(f"{x:g} {y:g}" for x, y in zip(x_positions, means, strict=True))
        parts.append(f'<path class="line line-{kind}" d="M{path}"/>')
        parts += [
            f'<circle class="dot dot-{kind}" cx="{x:g}" cy="{y_axis.y(value):g}" r="4"/>'
            for x, (_, values) in zip(x_positions, line.columns, strict=True)
            for value in values
        ]
        top = min(y_axis.y(max(values)) for _, values in line.columns[-2:])
        parts.append(
            f'<text class="name name-{kind}" x="{WIDTH - 10}" y="{top - 13:g}"'
            f' text-anchor="end">{escape(line.name)}</text>'
        )
    return _svg(parts, _HEIGHT, f"{y_label} by {x_label}")


def bar_chart(bars: Sequence[Bar], format_value: Callable[[float], str] = format_signed) -> str:
    """Return the SVG of horizontal bars from 0, each labelled with its formatted value.

    Bars of values above 0 point right.
    """
    if not bars:
        return ""
    name_width, value_width = 40, 52
    low = min(0.0, *(each.value for each in bars))
    high = max(0.0, *(each.value for each in bars))
    px_per_unit = (WIDTH - name_width - 2 * value_width) / max(high - low, 1e-9)
    zero_x = name_width + value_width - low * px_per_unit
    parts = []
    for row, each in enumerate(bars):
        y = row * _ROW_HEIGHT
        left, width = zero_x + min(each.value, 0) * px_per_unit, abs(each.value) * px_per_unit
        css_class = "bar-value is-marked" if each.is_marked else "bar-value"
        text_x, anchor = (left + width + 5, "start") if each.value >= 0 else (left - 5, "end")
        parts.append(
            f'<text class="tick" x="0" y="{y + 16}">{escape(each.name)}</text>'
            f'<rect class="{css_class}" x="{left:.1f}" y="{y + 5}" width="{width:.1f}"'
            ' height="14"/>'
            f'<text class="tick" x="{text_x:.1f}" y="{y + 16}" text-anchor="{anchor}">'
            f"{escape(format_value(each.value))}</text>"
        )
    parts.append(f'<path class="axis-line" d="M{zero_x:.1f} 0V{len(bars) * _ROW_HEIGHT}"/>')
    name = ", ".join(f"{each.name}: {format_value(each.value)}" for each in bars)
    return _svg(parts, len(bars) * _ROW_HEIGHT, name)


def signed_column_chart(values: Sequence[float]) -> str:
    """Return the SVG of a column for each of many values, above or below a line at 0.

    It is hidden from screen readers: the page has a table of the values.
    """
    height, middle = 90, 45
    largest = max(map(abs, values)) or 1.0
    step = WIDTH / len(values)
    parts = []
    for index, value in enumerate(values):
        bar_height = middle * abs(value) / largest
        top = middle - bar_height if value > 0 else middle
        css_class = "rise" if value > 0 else "fall"
        parts.append(
            f'<rect class="{css_class}" x="{index * step:.2f}" y="{top:.2f}"'
            f' width="{step * 0.8:.2f}" height="{bar_height:.2f}"/>'
        )
    parts.append(f'<path class="axis-line" d="M0 {middle}H{WIDTH}"/>')
    return _svg(parts, height)


def interval_chart(intervals: Sequence[Interval]) -> str:
    """Return the SVG of a row for each share on an axis from 0 to 1, with ticks for baselines."""
    name_width = 168
    plot_width = WIDTH - name_width - 12
    bottom = len(intervals) * _ROW_HEIGHT

    def x(share: float) -> float:
        return round(name_width + plot_width * share, 1)

    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<path class="rule" d="M{x(tick):g} 0V{bottom}"/>')
        parts.append(
            f'<text class="tick" x="{x(tick):g}" y="{bottom + 15}" text-anchor="middle">'
            f"{tick:g}</text>"
        )
    for row, each in enumerate(intervals):
        y = row * _ROW_HEIGHT + _ROW_HEIGHT // 2
        modifier_class = " found" if each.stands_out else ""
        ticks = "".join(f"M{x(value):g} {y - 6}v12" for value in each.baselines)
        parts.append(
            f'<text class="tick" x="0" y="{y + 4}">{escape(each.name)}</text>'
            f'<path class="baseline" d="{ticks}"/>'
            f'<path class="interval{modifier_class}" d="M{x(each.low):g} {y}H{x(each.high):g}"/>'
            f'<circle class="share{modifier_class}" cx="{x(each.share):g}" cy="{y}" r="4.5"/>'
        )
    name = ", ".join(f"{each.name}: {each.share:.2f}" for each in intervals)
    return _svg(parts, bottom + 22, name)


class _YAxis:
    """The vertical axis: from a round number at or below the lowest value to one at or above the
    highest.
    """

    def __init__(self, values: Sequence[float]) -> None:
        self.ticks = round_ticks(min(values), max(values))

    def y(self, value: float) -> float:
        """Return the SVG's y coordinate of a value."""
        bottom, top = self.ticks[0], self.ticks[-1]
        return round(
            _MARGIN_TOP + (_HEIGHT - _MARGIN_TOP - _MARGIN_BOTTOM) * (top - value) / (top - bottom),
            1,
        )


def round_ticks(low: float, high: float) -> list[float]:
    """Return three to eight evenly spaced round numbers that cover `low` to `high`."""
    span = (high - low) or abs(high) or 1.0
    magnitude = 10.0 ** floor(log10(span))
    step = next(magnitude * share for share in (0.2, 0.5, 1, 2) if span / (magnitude * share) <= 5)
    first = floor(low / step + 1e-9)
    ticks = [round(first * step, 10)]
    while ticks[-1] < high - step * 1e-9 or len(ticks) < 3:
        ticks.append(round((first + len(ticks)) * step, 10))
    return ticks


def _y_axis_svg(y_axis: _YAxis, y_label: str, right: float) -> list[str]:
    parts = [f'<text class="axis" x="0" y="11">{escape(y_label)}</text>']
    for tick in y_axis.ticks:
        y = y_axis.y(tick)
        parts.append(f'<path class="rule" d="M{_MARGIN_LEFT} {y:g}H{right:g}"/>')
        parts.append(
            f'<text class="tick" x="{_MARGIN_LEFT - 8}" y="{y + 4:g}"'
            f' text-anchor="end">{tick:g}</text>'
        )
    return parts


def _tick_below(x: float, text: str) -> str:
    y = _HEIGHT - _MARGIN_BOTTOM + 18
    return f'<text class="tick" x="{x:g}" y="{y}" text-anchor="middle">{escape(text)}</text>'


def _x_label(text: str) -> str:
    return f'<text class="axis" x="{_MARGIN_LEFT}" y="{_HEIGHT - 4}">{escape(text)}</text>'


def _svg(parts: Sequence[str], height: int, name: str = "") -> str:
    access = f'role="img" aria-label="{escape(name)}"' if name else 'aria-hidden="true"'
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f" {access}>{''.join(parts)}</svg>"
    )
