"""HTML of one head: built in Python, since a page shows many and each has many small pieces."""

from markupsafe import Markup, escape

from app.lesson.labs.head_figure import HeadFigure
from app.picture import format_weight


def head_map(
    figure: HeadFigure, layout: str, *, readable: bool, selectable: bool, disabled: str
) -> Markup:
    """Return a head with the chosen word's row and its map, or links if `layout` is "lines".

    `readable`: a cursor can read the map's numbers. `selectable`: the head's name is a button;
    `disabled` holds the attribute that disables it, or is empty.
    """
    picture = figure.map
    if figure.state.heatmap_layout.scrolls:
        label = f"Map of head {figure.head} of {escape(figure.state.model.card.id)}"
        picture = f'<section class="scroll" aria-label="{label}" tabindex="0">{picture}</section>'
    attributes = f' data-head="{figure.head}"' if readable else ""
    lines = [
        f'<figure class="{"head chosen" if figure.chosen else "head"}"{attributes}>',
        "<figcaption>",
        _name(figure, selectable, disabled),
        top_word_text(figure),
        "</figcaption>",
        figure.strip,
        picture,
        '<p class="read-out" aria-hidden="true"></p>' if readable and layout != "lines" else "",
        meta_line(figure),
        "</figure>\n",
    ]
    return Markup("\n".join(lines))  # noqa: S704


def head_row(figure: HeadFigure, *, selectable: bool, disabled: str) -> Markup:
    """Return a head with the chosen word's row alone; the parameters are those of `head_map`."""
    lines = [
        f'<section class="{"strip-row chosen" if figure.chosen else "strip-row"}">',
        '<p class="strip-header">',
        _name(figure, selectable, disabled),
        top_word_text(figure),
        "</p>",
        figure.strip,
        meta_line(figure),
        "</section>\n",
    ]
    return Markup("\n".join(lines))  # noqa: S704


def top_word_text(figure: HeadFigure) -> Markup:
    """Return a sentence that says which word the chosen word attends to most."""
    top_word, state = figure.top_word, figure.state
    key = f'<bdi class="is-key">{escape(top_word.word)}</bdi>'
    if top_word.ordinal is not None:
        key += f" (word {top_word.ordinal})"
    if top_word.is_self:
        key = '<span class="is-key">itself</span>'
    return Markup(  # noqa: S704
        f'<span class="caption-text"><bdi class="is-query">{escape(state.query_word)}</bdi>'
        f" {'gets' if state.controls.weighted else 'reads'} {key} most,"
        f" {_weight(top_word.weight)}</span>"
    )


def meta_line(figure: HeadFigure) -> Markup:
    """Return a line with the head's model, layer and index, its largest weight and its entropy."""
    card, group, strongest = figure.state.model.card, figure.kv_group, figure.largest_cell
    shared = f" keys and values shared by heads {group[0]} to {group[-1]} ·"
    return Markup(  # noqa: S704
        f'<p class="meta-line">{escape(card.id)} · {card.kind} · layer {figure.layer} ·'
        f" head {figure.head} ·{shared if len(group) > 1 else ''}"
        f" strongest <bdi>{escape(strongest.query)}</bdi> →"
        f" <bdi>{escape(strongest.key)}</bdi> {_weight(strongest.weight)} ·"
        f" mean entropy {figure.mean_entropy:.2f} bits</p>"
    )


def _weight(weight: float) -> Markup:
    """Return a weight as text; it can contain a "<" or ">"."""
    return escape(format_weight(weight))


def _name(figure: HeadFigure, selectable: bool, disabled: str) -> str:
    head = figure.head
    if not selectable:
        return f'<span class="head-name">Head {head}</span>'
    return (
        f'<button id="name-{head}" class="head-name" name="head" value="{head}"'
        f' title="Choose this head; the link then points at it"{disabled}'
        f' aria-pressed="{"true" if figure.chosen else "false"}">Head {head}</button>'
    )
