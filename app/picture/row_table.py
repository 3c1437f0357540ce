"""The row figure for pages: an HTML table with small strips, which narrow pages fold.

Numbers are text, so screen readers read them and no page size shrinks them.
"""

from collections.abc import Collection, Iterator
from html import escape

from app.picture.number_format import format_cell, format_weight
from app.picture.row_values import RowStrips, RowValues, format_score, scaled_heading
from app.picture.text_width import text_width
from app.picture.vector_strip import STRIP_HEIGHT, n_cells, strip_svg

CELL_WIDTH = 2.5
"""Width of a cell of vectors of d_head numbers, in pixels, where there is room."""

_FUNNELS = (
    '<svg class="funnels" viewBox="0 0 90 10" preserveAspectRatio="none" aria-hidden="true">'
    + "".join(f'<path d="M0 0H90L{left + 12:g} 10H{left:g}z"/>' for left in (0, 30.2, 60.4))
    + "</svg>"
)
_LABEL_FONT_SIZE = 13
_LABEL_WIDTHS = (("short", 44), ("medium", 72))


def row_table(row: RowValues, *, lit: Collection[str] = ()) -> str:
    """Return the HTML of the figure; the parts in `lit`, names of `PARTS`, are emphasised.

    "projections" and "kv-sets" are in it only if they are lit.
    """
    drawing = _Drawing(row, frozenset(lit))
    lines = [
        f'<div class="row-flow label-{_label_size(row)}">',
        *(drawing.projections() if "projections" in lit else ()),
        f'<table aria-label="{escape(row.summary)}">',
        *drawing.queries(),
        *drawing.key_lines(),
        *drawing.sum_line(),
        "</table>",
        *drawing.outputs(),
        "</div>\n",
    ]
    return "\n".join(lines)


def projections_html(row: RowValues) -> str:
    """Return the HTML of the part "projections" alone."""
    lines = _Drawing(row, frozenset(["projections"])).projections()
    return f'<div class="row-flow">{"".join(lines)}</div>'


class _Drawing:
    """The pieces of the figure, in the order of the computation."""

    def __init__(self, row: RowValues, lit: frozenset[str]) -> None:
        self.row, self.lit = row, lit
        self.strips = RowStrips(row)

    def part(self, name: str) -> str:
        """Return the attributes of an element that belongs to a part."""
        return f'data-part="{name}" class="lit"' if name in self.lit else f'data-part="{name}"'

    def vector(self, content: str) -> str:
        """Return a strip of d_head numbers, the wider the more numbers there are."""
        d_head = self.row.d_head
        return strip_svg(content, d_head, f'width="{d_head * CELL_WIDTH:g}"')

    def _wide(self, content: str, d: int = 0) -> str:
        """Return a strip of d_model or `d` numbers that is as wide as there is room."""
        return strip_svg(content, d or self.row.d_model, 'width="100%"')

    def _share(self, content: str, percent: int = 40) -> str:
        """Return a strip of d_head numbers that takes a share of the width, as funnels do."""
        return strip_svg(content, self.row.d_head, f'width="{percent}%"')

    def projections(self) -> Iterator[str]:
        """Yield the input of the word, and how the query comes from all of it."""
        row, strips = self.row, self.strips
        yield (
            f"<div {self.part('projections')}>"
            f'<p class="flow-text">input of {_word("is-query", row.label)}: {row.d_model} numbers,'
            f" all of them go into each product</p>"
            f"{self._wide(strips.input)}{_FUNNELS}"
            '<div class="flow-projections">'
        )
        for name, matrix, strip in (
            ('<span class="is-query">query</span>', "Q", strips.query),
            ('<span class="is-key">key</span>', "K", strips.own_key),
            ("value", "V", strips.own_value),
        ):
            yield (
                f'<div><p class="flow-text">× W<sub>{matrix}</sub>: {name}, {row.d_head}</p>'
                f"{self._share(strip)}</div>"
            )
        yield "</div>"
        if row.sliced:
            sliced = row.sliced
            frame = frame_rect(sliced.first, sliced.last - sliced.first + 1, row.d_model)
            yield (
                '<p class="flow-text">if heads sliced the input, head'
                f" {row.head} would have only inputs {sliced.first} to {sliced.last}:</p>"
                f"{_with_frame(self._wide(strips.input), frame)}"
                f'<p class="flow-text"><span class="is-query">query</span> of this slice</p>'
                f"{self._share(strips.sliced, 13)}"
            )
        yield "</div>"

    def queries(self) -> Iterator[str]:
        row = self.row
        yield "<tbody>"
        if "kv-sets" in self.lit:
            for each, strip in zip(row.group, self.strips.group, strict=True):
                chosen = " chosen" if each.head == row.head else ""
                yield (
                    f'<tr class="query-line{chosen}"><th scope="row">head {each.head}</th>'
                    f"<td {self.part('query')}>{self.vector(strip)}</td>"
                    f'<td class="flow-text" colspan="5">query of {_word("is-query", row.label)},'
                    f" reads {_word('is-key', each.top_label)} most,"
                    f" {escape(format_weight(each.top_weight))}</td></tr>"
                )
        else:
            piece = f", first piece of {_word('is-query', row.piece_of)}" if row.piece_of else ""
            yield (
                f'<tr class="query-line"><th scope="row">{_word("is-query", row.label)}</th>'
                f"<td {self.part('query')}>{self.vector(self.strips.query)}</td>"
                f'<td class="flow-text" colspan="5"><span class="is-query">query</span>,'
                f" {row.d_head} numbers{piece}</td></tr>"
            )
        yield "</tbody>"

    def key_lines(self) -> Iterator[str]:
        row, keys, strips = self.row, self.row.keys, self.strips
        headings = (
            ("keys", "is-key", "key"),
            ("scores", "", "q · k"),
            ("scores", "", scaled_heading(row)),
            ("weights", "", "softmax: weight"),
            ("values", "", "value"),
            ("values", "", "weight × value"),
        )
        # Screen readers hear what the strips in a column are.
        strips_note = f'<span class="visually-hidden">, {row.d_head} numbers as colours</span>'
        cells = "".join(
            f'<th scope="col" {self.part(part)}><span class="{css_class}">{text}</span>{note}</th>'
            if css_class
            else f'<th scope="col" {self.part(part)}>{text}{note}</th>'
            for part, css_class, text in headings
            for note in [strips_note if part in ("keys", "values") else ""]
        )
        yield f'<tbody {self.part("kv-sets")}><tr class="headings"><td></td>{cells}</tr>'
        key, scores, weights, values = map(self.part, ("keys", "scores", "weights", "values"))
        lines = zip(
            keys.labels,
            keys.is_query,
            strips.keys,
            keys.scores.tolist(),
            keys.masked.tolist(),
            keys.weights.tolist(),
            strips.values,
            strips.weighted_values,
            strict=True,
        )
        for label, is_query, key_strip, score, masked, weight, value_strip, weighted_strip in lines:
            yield (
                f'<tr><th scope="row">{_word("is-key is-self" if is_query else "is-key", label)}'
                f"</th><td {key}>{self.vector(key_strip)}</td>"
                f"<td {scores}>{format_score(score)}</td><td {scores}>{format_score(masked)}</td>"
                f"<td {weights}>{_bar(weight)}</td>"
                f"<td {values}>{self.vector(value_strip)}</td>"
                f"<td {values}>{self.vector(weighted_strip)}</td></tr>"
            )
        if row.other_keys:
            other = row.other_keys
            yield (
                f'<tr class="other-keys"><th scope="row" colspan="4">and {other.n} more,'
                f" together</th><td {weights}>{_bar(other.weight)}</td><td></td>"
                f"<td {values}>{self.vector(strips.other_keys)}</td></tr>"
            )
        yield "</tbody>"

    def sum_line(self) -> Iterator[str]:
        text = "this head is off: zeros" if self.row.is_ablated else "sum: this head’s output"
        yield (
            f'<tbody><tr class="sum-line"><th scope="row" colspan="6">{text}</th>'
            f"<td {self.part('output')}>{self.vector(self.strips.output)}</td></tr></tbody>"
        )

    def outputs(self) -> Iterator[str]:
        """Yield the outputs of all heads and what the layer adds."""
        row = self.row
        heads = "head" if row.n_heads == 1 else "heads"
        frame = frame_rect(row.head * row.d_head, row.d_head, len(row.joined))
        yield (
            '<div class="flow-outputs">'
            f'<div {self.part("joined")}><p class="flow-text">{row.n_heads} {heads} joined:'
            f" {row.n_heads} × {row.d_head} numbers</p>"
            f"{_with_frame(self._wide(self.strips.joined, len(row.joined)), frame)}"
            f'<p class="flow-text">head {row.head} is framed</p></div>'
            '<p class="flow-text">× W<sub>O</sub></p>'
            f'<div {self.part("added")}><p class="flow-text">the layer adds to'
            f" {_word('is-query', row.label)}</p>{self._wide(self.strips.added)}"
            f'<p class="flow-text">{row.d_model} numbers</p></div></div>'
        )


def frame_rect(first: int, n: int, d: int) -> str:
    """Return a frame around n numbers of the strip of d, from `first`, in the strip's own units."""
    unit = n_cells(d) / d
    return (
        f'<rect class="head-frame" x="{first * unit:g}" y="0" width="{n * unit:g}"'
        f' height="{STRIP_HEIGHT}"/>'
    )


def _with_frame(svg: str, frame: str) -> str:
    return f"{svg.removesuffix('</svg>')}{frame}</svg>"


def _bar(weight: float) -> str:
    return (
        '<svg class="weight-bar" viewBox="0 0 100 1" preserveAspectRatio="none"'
        ' aria-hidden="true"><rect class="track" width="100" height="1"/>'
        f'<rect class="bar" width="{100 * weight:.1f}" height="1"/></svg>'
        f"<span>{escape(format_cell(weight))}</span>"
    )


def _word(css_class: str, text: str) -> str:
    return f'<bdi class="{css_class}">{escape(text)}</bdi>'


def _label_size(row: RowValues) -> str:
    """Return the name of the width that the labels of the lines need."""
    widest = max(
        text_width(label, _LABEL_FONT_SIZE, bold=True) for label in [row.label, *row.keys.labels]
    )
    return next((name for name, width in _LABEL_WIDTHS if widest <= width), "long")
