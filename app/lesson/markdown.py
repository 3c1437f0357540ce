"""Convert prose to HTML; markers on lines of their own place the interactive parts of a step."""

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
    """A part of a step in reading order: `kind` is "prose" or one of `MARKERS`."""

    kind: str
    html: str = ""


def segments(markdown: str) -> list[Segment]:
    """Return the prose and the markers in order. Unknown markers are left out."""
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
    """Return every marker with its line, counted from 1."""
    return [
        (marker.group(1), markdown.count("\n", 0, marker.start()) + 1)
        for marker in _MARKER.finditer(markdown)
    ]


def render_block(markdown: str) -> str:
    """Return paragraphs, lists and tables as HTML."""
    return str(_MARKDOWN.render(markdown))


def render_inline(markdown: str) -> str:
    """Return a phrase as HTML, without a paragraph around it."""
    return str(_MARKDOWN.renderInline(markdown))


def placeholders(text: str) -> set[str]:
    """Return the names in braces, such as `{word}`."""
    return set(_PLACEHOLDER.findall(text))


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """Replace placeholders in plain text by plain text. The result is not escaped."""
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], text)


def fill_html(html: str, values: dict[str, str]) -> str:
    """Replace placeholders in HTML by escaped values, each isolated by `<bdi>`.

    Call it after Markdown has been rendered, so that text typed by a learner is never read as
    Markdown or HTML and its writing direction does not affect the text around it.
    """
    return _PLACEHOLDER.sub(lambda match: f"<bdi>{escape(values[match.group(1)])}</bdi>", html)


class FormulaError(ValueError):
    """Invalid LaTeX in a lesson's text."""

    def __init__(self, latex: str) -> None:
        self.latex = latex
        super().__init__(f"this formula is not valid LaTeX: {latex.strip()}")


def _render_math(latex: str, options: dict[str, bool]) -> str:
    """Return MathML. A block formula can be wider than a phone, so it can be focused and scrolled.

    Raises `FormulaError`.
    """
    is_block = options["display_mode"]
    try:
        formula = str(mathml(latex, display="block" if is_block else "inline"))
    except Exception as error:  # the converter raises dozens of its own, and IndexError
        raise FormulaError(latex) from error
    if not is_block:
        return formula
    return f'<div class="formula" role="group" aria-label="Formula" tabindex="0">{formula}</div>'


def _aligned_cell(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Render alignment as a class: the content security policy allows no inline style."""
    token = tokens[index]
    style = token.attrs.pop("style", None)
    if style:
        token.attrJoin("class", str(style).replace("text-align:", "align-"))
    return renderer.renderToken(tokens, index, options, env)


def _table_open(_: RendererHTML, tokens: Sequence[Token], index: int, *__: object) -> str:
    """Render a scrollable table as a focusable region that is named by its columns."""
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
