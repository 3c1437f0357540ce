"""The row figure as one SVG, for files; pages have `row_table`."""

from collections.abc import Collection
from dataclasses import dataclass
from html import escape

from app.picture.number_format import format_cell, format_weight
from app.picture.row_values import RowStrips, RowValues, format_score, masked_heading
from app.picture.text_width import shorten, text_width
from app.picture.vector_strip import strip_svg

# Lengths are in the SVG's user units, which are CSS pixels at full size.
_FONT_SIZE = 13.0
_CELL_WIDTH, _MIN_STRIP_WIDTH, _MAX_STRIP_WIDTH = 2.5, 64, 160
_STRIP, _LINE, _GAP = 14, 24, 16
_MAX_LABEL_WIDTH, _BAR_WIDTH, _NUMBER_WIDTH = 120, 70, 40
_BASELINE = 11
_WEIGHTED = "weight × value"


def row_flow(row: RowValues, *, lit: Collection[str] = ()) -> str:
    """Return the SVG of the figure; the parts in `lit`, names of `PARTS`, are emphasised.

    "projections" and "kv-sets" are in it only if they are lit. The SVG is hidden from screen
    readers: the caller describes it in text.
    """
    return _Drawing(row, frozenset(lit)).svg()


@dataclass(frozen=True)
class _Columns:
    """Left edges of the columns, and their right ends where text ends there."""

    keys: float
    score_end: float
    scaled_end: float
    bars: float
    values: float
    weighted: float
    strip: float

    @property
    def width(self) -> float:
        return self.weighted + max(self.strip, text_width(_WEIGHTED, _FONT_SIZE, bold=True))

    @property
    def number_end(self) -> float:
        return self.bars + _BAR_WIDTH + _NUMBER_WIDTH


def _columns(row: RowValues, label_width: float) -> _Columns:
    strip = min(max(row.d_head * _CELL_WIDTH, _MIN_STRIP_WIDTH), _MAX_STRIP_WIDTH)
    scores = [format_score(score) for score in row.keys.scores.tolist()]
    masked = [format_score(score) for score in row.keys.masked.tolist()]
    score_width = max(text_width(text, _FONT_SIZE) for text in ["q · k", *scores])
    headings = [_scaled_heading(row), *masked]
    scaled_width = max(text_width(text, _FONT_SIZE, bold=True) for text in headings)
    keys = label_width + _GAP / 2
    score_end = keys + strip + _GAP + score_width
    scaled_end = score_end + _GAP + scaled_width
    bars = scaled_end + _GAP
    values = bars + _BAR_WIDTH + _NUMBER_WIDTH + _GAP
    return _Columns(keys, score_end, scaled_end, bars, values, values + strip + _GAP, strip)


class _Drawing:
    """The pieces of the figure from top to bottom; `y` is where the next one begins."""

    def __init__(self, row: RowValues, lit: frozenset[str]) -> None:
        self.row, self.lit = row, lit
        self.strips = RowStrips(row)
        labels = [row.label, *row.keys.labels]
        if "kv-sets" in lit:
            labels += [f"head {each.head}" for each in row.group]
        self.label_width = min(
            max(text_width(label, _FONT_SIZE, bold=True) for label in labels), _MAX_LABEL_WIDTH
        )
        self.columns = _columns(row, self.label_width)
        # Beside the joined outputs, there has to be room for what the layer adds.
        self.width = max(self.columns.width, 480.0)
        self.y = 4.0
        self.grounds: list[str] = []

    def svg(self) -> str:
        content = "".join(
            [
                self._projections() if "projections" in self.lit else "",
                self._queries(),
                self._lines(),
                self._outputs(),
            ]
        )
        width, height = round(self.width + 12), round(self.y + 6)
        return (
            f'<svg class="map map-flow" viewBox="0 0 {width} {height}" width="{width}"'
            f' height="{height}" aria-hidden="true"><g transform="translate(6 0)">'
            f"{''.join(self.grounds)}{content}"
            "</g></svg>"
        )

    def _part(self, name: str, content: str, box: tuple[float, float, float, float]) -> str:
        """Return a group; if the part is lit, add a ground of `box` (x, y, width, height)."""
        if name in self.lit:
            x, y, width, height = box
            self.grounds.append(
                f'<rect class="tint" x="{x - 5:g}" y="{y - 3:g}" width="{width + 10:g}"'
                f' height="{height + 6:g}" rx="5"/>'
            )
        return f'<g data-part="{name}">{content}</g>'

    def _strip(self, content: str, d: int, x: float, y: float, width: float) -> str:
        position = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{_STRIP}"'
        return strip_svg(content, d, position)

    def _vector(self, content: str, x: float, y: float, width: float = 0) -> str:
        return self._strip(content, self.row.d_head, x, y, width or self.columns.strip)

    def _projections(self) -> str:
        row, strips, top = self.row, self.strips, self.y
        middle = (self.width - 2 * _GAP) / 3
        y = top + 2 * _LINE + 6
        content = [
            self._text_to_end(
                0, top, f"input of {row.label}: all {row.d_model} numbers go into each product"
            ),
            self._strip(strips.input, row.d_model, 0, top + 19, self.width),
        ]
        for index, (css_class, letter, name, strip) in enumerate(
            (
                ("chosen", "Q", "query", strips.query),
                ("key", "K", "key", strips.own_key),
                ("", "V", "value", strips.own_value),
            )
        ):
            x = index * (middle + _GAP)
            strip_width = min(self.columns.strip, middle)
            product = f'{_projection(letter)}<tspan dy="-3">: {name}, {row.d_head}</tspan>'
            content.append(
                f'<path class="funnel" d="M0 {top + 33:g}H{self.width:g}L{x + strip_width:g}'
                f' {y:g}H{x:g}z"/>{_svg_text(x, y + 4, product, css_class)}'
                f"{self._vector(strip, x, y + 22, strip_width)}"
            )
        self.y = y + 22 + _STRIP
        if row.sliced:
            content.append(self._sliced())
        height = self.y - top
        self.y += _LINE / 2
        return self._part("projections", "".join(content), (0, top, self.width, height))

    def _sliced(self) -> str:
        row, y = self.row, self.y + 12
        sliced = row.sliced
        if sliced is None:
            return ""
        unit = self.width / row.d_model
        self.y = y + 38 + 2 * _STRIP
        heading = (
            f"if heads sliced the input, head {row.head} would have only inputs"
            f" {sliced.first} to {sliced.last}"
        )
        return (
            f"{_text(0, y, heading)}"
            f"{self._strip(self.strips.input, row.d_model, 0, y + 19, self.width)}"
            f"{_frame(sliced.first * unit, y + 19, (sliced.last + 1 - sliced.first) * unit)}"
            f"{_text(self.columns.strip + 8, y + 42, 'query of this slice', 'chosen')}"
            f"{self._vector(self.strips.sliced, 0, y + 42)}"
        )

    def _queries(self) -> str:
        row, columns, top = self.row, self.columns, self.y
        text_x = columns.keys + columns.strip + _GAP
        if "kv-sets" not in self.lit:
            query = f"query of {row.label}, {row.d_head} numbers"
            if row.piece_of:
                query += f", first piece of {row.piece_of}"
            content = (
                f"{_text(0, top, self._label(row.label), 'chosen')}"
                f"{self._vector(self.strips.query, columns.keys, top)}"
                f"{self._text_to_end(text_x, top, query)}"
            )
            self.y += _LINE
            return self._part("query", content, (columns.keys, top, columns.strip, _STRIP))
        pieces = []
        for each, strip in zip(row.group, self.strips.group, strict=True):
            css_class = "chosen" if each.head == row.head else ""
            weight = format_weight(each.top_weight)
            pieces.append(
                f"{_text(0, self.y, f'head {each.head}', css_class)}"
                f"{self._vector(strip, columns.keys, self.y)}"
                f"{self._text_to_end(text_x, self.y, f'reads {each.top_label} most, {weight}')}"
            )
            self.y += _LINE
        box = (columns.keys, top, columns.strip, self.y - top - (_LINE - _STRIP))
        return self._part("query", "".join(pieces), box)

    def _text_to_end(self, x: float, y: float, text: str) -> str:
        """Return one line of text, shortened if it is wider than the figure."""
        return _text(x, y, shorten(text, _FONT_SIZE, self.width - x), "", text)

    def _label(self, label: str) -> str:
        return shorten(label, _FONT_SIZE, self.label_width, bold=True)

    def _lines(self) -> str:
        """Return the keys with their scores, weights and values, and the sum."""
        row, keys, strips, columns = self.row, self.row.keys, self.strips, self.columns
        top = self.y
        pieces: dict[str, list[str]] = {
            "keys": [_text(columns.keys, top, "key", "key")],
            "scores": [
                _text(columns.score_end, top, "q · k", "end"),
                _text(columns.scaled_end, top, _scaled_heading(row), "end"),
            ],
            "weights": [_text(columns.bars, top, "softmax: weight")],
            "values": [
                _text(columns.values, top, "value"),
                _text(columns.weighted, top, _WEIGHTED),
            ],
        }
        labels = []
        for index, (label, score, masked, weight) in enumerate(
            zip(
                keys.labels,
                keys.scores.tolist(),
                keys.masked.tolist(),
                keys.weights.tolist(),
                strict=True,
            )
        ):
            self.y += _LINE
            labels.append(_text(0, self.y, self._label(label), "key", label))
            pieces["keys"].append(self._vector(strips.keys[index], columns.keys, self.y))
            pieces["scores"] += [
                _text(columns.score_end, self.y, format_score(score), "end"),
                _text(columns.scaled_end, self.y, format_score(masked), "end"),
            ]
            pieces["weights"].append(self._bar(weight))
            pieces["values"] += [
                self._vector(strips.values[index], columns.values, self.y),
                self._vector(strips.weighted_values[index], columns.weighted, self.y),
            ]
        if row.other_keys:
            self.y += _LINE
            labels.append(_text(0, self.y, f"and {row.other_keys.n} more, together"))
            pieces["weights"].append(self._bar(row.other_keys.weight))
            pieces["values"].append(
                self._vector(strips.other_keys, columns.weighted, self.y, columns.strip)
            )
        height = self.y + _STRIP - top
        ends = {
            "keys": (columns.keys, columns.keys + columns.strip),
            "scores": (columns.keys + columns.strip + _GAP / 2 + 5, columns.scaled_end),
            "weights": (columns.bars, columns.number_end),
            "values": (columns.values, columns.width),
        }
        groups = "".join(
            self._part(name, "".join(content), (ends[name][0], top, _length(ends[name]), height))
            for name, content in pieces.items()
        )
        box = (0, top, columns.width, height)
        return self._part("kv-sets", "".join(labels) + groups, box) + self._sum()

    def _bar(self, weight: float) -> str:
        columns, y = self.columns, self.y
        return (
            f'<g class="weight-bar"><rect class="track" x="{columns.bars:g}" y="{y:g}"'
            f' width="{_BAR_WIDTH}" height="{_STRIP}"/><rect class="bar" x="{columns.bars:g}"'
            f' y="{y:g}" width="{_BAR_WIDTH * weight:.1f}" height="{_STRIP}"/></g>'
            f"{_text(columns.number_end, y, format_cell(weight), 'end')}"
        )

    def _sum(self) -> str:
        columns, text = self.columns, "sum: this head’s output"
        if self.row.is_ablated:
            text = "this head is off: zeros"
        self.y += _STRIP + 9
        content = (
            f'<path class="rule" d="M{columns.weighted:g} {self.y - 5:g}h{columns.strip:g}"/>'
            f"{_text(columns.weighted - _GAP, self.y, text, 'end')}"
            f"{self._vector(self.strips.output, columns.weighted, self.y)}"
        )
        box = (columns.weighted, self.y, columns.strip, _STRIP)
        self.y += _LINE
        return self._part("output", content, box)

    def _outputs(self) -> str:
        """Return the outputs of all heads and what the layer adds."""
        row, top = self.row, self.y + 6
        product_width = text_width("× WO", _FONT_SIZE) + 2 * _GAP
        joined_width = (self.width - product_width) * 0.6
        x = joined_width + product_width
        unit = joined_width / row.n_heads
        heads = "1 head" if row.n_heads == 1 else f"{row.n_heads} heads"
        joined = (
            f"{_text(0, top, f'{heads} joined: {row.n_heads} × {row.d_head} numbers')}"
            f"{self._strip(self.strips.joined, len(row.joined), 0, top + 19, joined_width)}"
            f"{_frame(row.head * unit, top + 19, unit)}"
            f"{_text(0, top + 40, f'head {row.head} is framed')}"
        )
        word = shorten(row.label, _FONT_SIZE, self.width - x - 96)
        added = (
            f"{_text(x, top, f'the layer adds to {word}')}"
            f"{self._strip(self.strips.added, row.d_model, x, top + 19, self.width - x)}"
            f"{_text(x, top + 40, f'{row.d_model} numbers')}"
        )
        self.y = top + 40 + _STRIP
        height = self.y - top
        return (
            f"{self._part('joined', joined, (0, top, joined_width, height))}"
            f"{_svg_text(joined_width + _GAP, top + 19, _projection('O'))}"
            f"{self._part('added', added, (x, top, self.width - x, height))}"
        )


def _scaled_heading(row: RowValues) -> str:
    """Return the heading of scaled scores. The font of PNG files has no root sign."""
    return masked_heading(row, f"÷ {row.divisor or 1:.2f}")


def _projection(letter: str) -> str:
    """Return the escaped text of a product with W_Q, W_K, W_V or W_O."""
    return f'× W<tspan dy="3" font-size="10">{letter}</tspan>'


def _length(ends: tuple[float, float]) -> float:
    return ends[1] - ends[0]


def _frame(x: float, y: float, width: float) -> str:
    return (
        f'<rect class="query-frame" x="{x:g}" y="{y - 1:g}" width="{width:g}"'
        f' height="{_STRIP + 2}"/>'
    )


def _text(x: float, y: float, text: str, css_class: str = "", whole: str = "") -> str:
    """Return one line of text beside a strip at `y`; `whole` is the tooltip of a shortened one."""
    title = f"<title>{escape(whole)}</title>" if whole and whole != text else ""
    return _svg_text(x, y, f"{title}{escape(text)}", css_class)


def _svg_text(x: float, y: float, content: str, css_class: str = "") -> str:
    names = f"flow {css_class}".rstrip()
    return f'<text class="{names}" x="{x:g}" y="{y + _BASELINE:g}">{content}</text>'
