"""Prose to HTML: Markdown, and own-line markers that place a step's interactive parts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import takewhile

from latex2mathml.converter import convert as mathml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin

REQUIRED_MARKERS = ("lab", "predict", "check")
MARKERS = (*REQUIRED_MARKERS, "shapes")
_MARKER = re.compile(r"^::(\w+)[ \t]*$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Segment:
    """A piece of a step in reading order: `kind` is "prose" or one of `MARKERS`."""

    kind: str
    html: str = ""


def segments(markdown: str) -> list[Segment]:
    """Prose and the markers between, in order; markers that are not known are left out."""
    return list(_segments(markdown))


def _segments(markdown: str) -> Iterator[Segment]:
    position = 0
    for marker in _MARKER.finditer(markdown):
        yield from _prose_segment(markdown[position : marker.start()])
        if marker.group(1) in MARKERS:
            yield Segment(marker.group(1))
        position = marker.end()
    yield from _prose_segment(markdown[position:])


def _prose_segment(markdown: str) -> Iterator[Segment]:
    if markdown.strip():
        yield Segment("prose", render_block(markdown))


def markers(markdown: str) -> list[tuple[str, int]]:
    """Every marker and its line, counted from 1."""
    return [
        (marker.group(1), markdown.count("\n", 0, marker.start()) + 1)
        for marker in _MARKER.finditer(markdown)
    ]


def render_block(markdown: str) -> str:
    """Whole paragraphs, lists and tables as HTML."""
    return str(_MARKDOWN.render(markdown))


def render_inline(markdown: str) -> str:
    """A phrase as HTML, without a paragraph around it."""
    return str(_MARKDOWN.renderInline(markdown))


def placeholders(text: str) -> set[str]:
    """The names that stand in braces: `{word}`."""
    return set(_PLACEHOLDER.findall(text))


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """As `fill_html`, of and into plain text, which is yet to be escaped."""
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], text)


def fill_html(html: str, values: dict[str, str]) -> str:
    """Puts escaped values where their names stand in braces, after Markdown has been rendered,
    so that what a learner typed is never read as Markdown or HTML; nor does its direction of
    writing reach beyond it.
    """
    return _PLACEHOLDER.sub(lambda match: f"<bdi>{escape(values[match.group(1)])}</bdi>", html)


class FormulaError(ValueError):
    """LaTeX that cannot be set."""

    def __init__(self, latex: str) -> None:
        self.latex = latex
        super().__init__(f"this formula cannot be set: {latex.strip()}")


def _render_math(latex: str, options: dict[str, bool]) -> str:
    """MathML; a formula of its own may be wider than a phone, and the keyboard can scroll it.

    Raises `FormulaError`.
    """
    is_block = options["display_mode"]
    try:
        formula = str(mathml(latex, display="block" if is_block else "inline"))
    except Exception as error:  # the converter has dozens of its own, and IndexError besides
        raise FormulaError(latex) from error
    if not is_block:
        return formula
    return f'<div class="formula" role="group" aria-label="Formula" tabindex="0">{formula}</div>'


def _aligned_cell(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Column alignment as a class: the content security policy allows no inline style."""
    token = tokens[index]
    style = token.attrs.pop("style", None)
    if style:
        token.attrJoin("class", str(style).replace("text-align:", "align-"))
    return renderer.renderToken(tokens, index, options, env)


def _table_open(_: RendererHTML, tokens: Sequence[Token], index: int, *__: object) -> str:
    """A table that may scroll is a region that the keyboard reaches, named by its columns."""
    head = takewhile(lambda token: token.type != "thead_close", tokens[index:])
    columns = ", ".join(token.content for token in head if token.type == "inline")
    return f'<section class="table-wrapper" aria-label="{escape(columns)}" tabindex="0"><table>\n'


def _table_close(*_: object) -> str:
    return "</table></section>\n"


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "typographer": True})
    markdown.enable(["table", "replacements", "smartquotes"])
    markdown.use(dollarmath_plugin, allow_space=False, allow_digits=False, renderer=_render_math)
    for rule in ("th_open", "td_open"):
        markdown.add_render_rule(rule, _aligned_cell)
    markdown.add_render_rule("table_open", _table_open)
    markdown.add_render_rule("table_close", _table_close)
    return markdown


_MARKDOWN = _markdown()
