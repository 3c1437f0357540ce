"""Convert Markdown to HTML: prose with tables, formulas, and links that act on the page.

Besides ordinary links there are `[label](?causal=1)`, which changes the view (see `live_html`),
`[label](#keys)`, which lights a part of a figure, `[label](term:nats)`, which leads to a
definition, and `[label](role:query)`, a word in the colour of its role.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import takewhile
from typing import Any

from latex2mathml.converter import convert as mathml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin

from app.picture.row_values import PARTS

ROLES = {"query": "query", "key": "keys", "value": "values"}
"""Roles that words and terms of formulas can have, and the part that such a term lights."""

TERM_PREFIX, ROLE_PREFIX = "term:", "role:"

TABLE_START = '<section class="table-wrapper"'
"""How the HTML of a table starts."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ROLE_COMMAND = re.compile(rf"\\({'|'.join(ROLES)})(?=\{{)")
_LIGHT_COMMAND = re.compile(r"\\light\{([\w-]+)\}(?=\{)")
_LIGHT_CLASS = re.compile(r'class="([^"]*?) ?light-([\w-]+)"')
_UPRIGHT_LETTERS = re.compile(r'(?:<mi mathvariant="normal">[^<]</mi>){2,}')
_GLUED_FORMULA = re.compile(
    r'([^\s<>]*)(<span class="math inline">.*?</math></span>)([^\s<>]*)', re.DOTALL
)


@dataclass(frozen=True)
class Link:
    """A link of a text with the line that it is on, counted from 1."""

    href: str
    line: int


def blocks(markdown: str) -> Iterator[str]:
    """Yield the HTML of each paragraph, heading, list, table or formula of a text."""
    env: dict[str, Any] = {}
    tokens = _MARKDOWN.parse(markdown, env)
    first = 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting != 1:
            block = tokens[first : index + 1]
            yield _glue_formulas(_MARKDOWN.renderer.render(block, _MARKDOWN.options, env))
            first = index + 1


def render_inline(markdown: str) -> str:
    """Return a phrase as HTML, without a paragraph around it."""
    return _glue_formulas(str(_MARKDOWN.renderInline(markdown)))


def links(markdown: str) -> Iterator[Link]:
    """Yield every link of a text."""
    for token, line in _inline_tokens(markdown):
        if token.type == "link_open":
            yield Link(str(token.attrs["href"]), line)


def placeholders_with_lines(markdown: str) -> Iterator[tuple[str, int]]:
    """Yield every placeholder of a text with its line, counted from 1. Formulas have none."""
    for token, line in _inline_tokens(markdown):
        if token.type == "text":
            yield from ((name, line) for name in _PLACEHOLDER.findall(token.content))


def _inline_tokens(markdown: str) -> Iterator[tuple[Token, int]]:
    for token in _PARSER.parse(markdown):
        line = (token.map or [0])[0] + 1
        for child in token.children or []:
            yield child, line
            line += child.type in ("softbreak", "hardbreak")


def placeholders(text: str) -> set[str]:
    """Return the names in braces, such as `{word}`, outside formulas."""
    return {name for name, _ in placeholders_with_lines(text)}


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """Replace placeholders in plain text by plain text. The result is not escaped."""
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], text)


def term_id(term: str) -> str:
    """Return the HTML id of a term's definition."""
    return f"term-{term}"


class FormulaError(ValueError):
    """Invalid LaTeX in a lesson's text, or a formula that lights an unknown part."""

    def __init__(self, latex: str, problem: str = "this formula is not valid LaTeX") -> None:
        self.latex = latex
        super().__init__(f"{problem}: {latex.strip()}")


def _render_math(latex: str, options: dict[str, bool]) -> str:
    """Return MathML. A block formula can be wider than a phone, so it can be focused and scrolled.

    Raises `FormulaError`.
    """
    is_block = options["display_mode"]
    source = _ROLE_COMMAND.sub(
        lambda command: rf"\class{{is-{command[1]} light-{ROLES[command[1]]}}}", latex
    )
    for part in _LIGHT_COMMAND.findall(latex):
        if part not in PARTS:
            raise FormulaError(latex, f"this formula lights an unknown part “{part}”")
    source = _LIGHT_COMMAND.sub(lambda command: rf"\class{{light-{command[1]}}}", source)
    try:
        formula = str(mathml(source, display="block" if is_block else "inline"))
    except Exception as error:  # the converter raises dozens of its own, and IndexError
        raise FormulaError(latex) from error
    formula = _UPRIGHT_LETTERS.sub(_one_operator, formula)
    formula = _LIGHT_CLASS.sub(
        lambda part: (
            f'class="{part[1]}" data-light="{part[2]}"' if part[1] else f'data-light="{part[2]}"'
        ),
        formula,
    )
    if "\\" in formula:
        raise FormulaError(latex)
    if not is_block:
        return formula
    return f'<div class="formula" role="group" aria-label="Formula" tabindex="0">{formula}</div>'


def _one_operator(letters: re.Match[str]) -> str:
    """Return upright letters as one name, such as softmax."""
    name = re.sub(r"<[^>]+>", "", letters[0])
    return f'<mi mathvariant="normal">{name}</mi>'


def _glue_formulas(html: str) -> str:
    """Keep punctuation on the line of the formula that it follows or precedes."""

    def glue(match: re.Match[str]) -> str:
        before, formula, after = match.groups()
        return f'<span class="glued">{match[0]}</span>' if before or after else str(formula)

    return _GLUED_FORMULA.sub(glue, html) if "<math" in html else html


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
    columns = ", ".join(_plain_text(token) for token in head if token.type == "inline")
    return f'{TABLE_START} aria-label="{escape(columns)}" tabindex="0"><table>\n'


def _plain_text(inline: Token) -> str:
    """Return the text of a phrase without marks, links and placeholders."""
    content = "".join(
        child.content for child in inline.children or [] if child.type in ("text", "math_inline")
    )
    return _PLACEHOLDER.sub("", content)


def _table_close(*_: object) -> str:
    return "</table></section>\n"


def _special_links(state: StateCore) -> None:
    """Turn links with the addresses of this module's docstring into what they stand for."""
    for token in state.tokens:
        open_tags: list[str] = []
        for child in token.children or []:
            if child.type == "link_open":
                open_tags.append(_special_link(child))
            elif child.type == "link_close":
                child.tag = open_tags.pop()


def _special_link(link: Token) -> str:
    """Change the attributes and the tag of one link. Return the tag."""
    href = str(link.attrs["href"])
    if href.startswith("?"):
        link.attrs = {"data-act": href[1:]}
    elif href.startswith("#"):
        link.attrs = {"class": "light", "href": "#lab-view", "data-light": href[1:]}
    elif href.startswith(TERM_PREFIX):
        term = href.removeprefix(TERM_PREFIX)
        link.attrs = {"class": "term", "href": f"#{term_id(term)}", "data-term": term}
    elif href.startswith(ROLE_PREFIX):
        link.tag = "span"
        link.attrs = {"class": f"is-{href.removeprefix(ROLE_PREFIX)}"}
    return link.tag


def _markdown(*, has_special_links: bool) -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "typographer": True})
    markdown.enable(["table", "replacements", "smartquotes"])
    markdown.use(dollarmath_plugin, allow_space=False, allow_digits=False, renderer=_render_math)
    for rule in ("th_open", "td_open"):
        markdown.add_render_rule(rule, _aligned_cell)
    markdown.add_render_rule("table_open", _table_open)
    markdown.add_render_rule("table_close", _table_close)
    if has_special_links:
        markdown.core.ruler.push("special_links", _special_links)
    return markdown


_MARKDOWN = _markdown(has_special_links=True)
_PARSER = _markdown(has_special_links=False)
