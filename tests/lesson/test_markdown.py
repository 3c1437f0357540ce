"""Markdown becomes HTML that holds nothing of what learners type, and no inline style."""

import re

import pytest

from app.lesson.markdown import (
    ROLES,
    FormulaError,
    blocks,
    links,
    placeholders,
    placeholders_with_lines,
    render_inline,
)
from app.picture.row_values import PARTS


def render_block(markdown):
    return "".join(blocks(markdown))


def test_each_paragraph_heading_list_table_and_formula_is_a_block():
    text = "# A\n\nB\nb\n\n- c\n- c\n\n| d |\n|---|\n| d |\n\n$$e$$\n"
    starts = [re.match(r"<(\w+)", block)[1] for block in blocks(text)]
    assert starts == ["h1", "p", "ul", "section", "div"]


def test_tables_align_by_class_and_never_by_inline_style():
    html = render_block("| a | b |\n|---|--:|\n| 1 | 2 |\n")
    assert 'class="align-right"' in html
    assert "style" not in html


def test_a_table_is_a_region_named_by_its_columns():
    html = render_block('| "a" | [b](?x=1) {word} |\n|---|---|\n| 1 | 2 |\n')
    assert 'aria-label="“a”, b " tabindex="0"' in html


def test_html_in_prose_is_text():
    assert "<script>" not in render_block("a <script>alert(1)</script>")


def test_maths_becomes_mathml_without_a_backslash():
    html = render_block("$h = 2$ and\n\n$$\\sqrt{d_k}$$\n")
    assert html.count("<math") == 2
    assert "\\" not in html


@pytest.mark.parametrize("name", ["softmax", "concat"])
@pytest.mark.parametrize("command", ["mathrm", "operatorname"])
def test_the_name_of_a_function_is_one_token(command, name):
    html = render_inline(rf"$\{command}{{{name}}}(x)$")
    assert re.search(rf"<(mi|mo)[^>]*>{name}</\1>", html)


@pytest.mark.parametrize(("role", "part"), ROLES.items())
def test_a_term_of_a_formula_has_the_colour_of_its_role_and_lights_its_part(role, part):
    html = render_inline(rf"$\{role}{{X}}_i + x$")
    assert f'<mrow class="is-{role}" data-light="{part}"><mi>X</mi></mrow>' in html
    assert html.count("data-light") == 1


def test_a_term_of_a_formula_can_light_any_part():
    html = render_inline(r"$\light{weights}{A \key{K}}$")
    assert '<mrow data-light="weights">' in html
    assert 'class="is-key" data-light="keys"' in html
    assert "light-" not in html


@pytest.mark.parametrize("latex", [r"\light{everything}{A}", "x^", r"\unknown{x}"])
def test_a_formula_that_cannot_be_shown_is_an_error(latex):
    with pytest.raises(FormulaError) as error:
        render_inline(f"${latex}$")
    assert latex in str(error.value)


@pytest.mark.parametrize("text", ["$x$,", "($x$)", "“$x$”", "$x$-th"])
def test_what_touches_a_formula_stays_on_its_line(text):
    html = render_inline(f"a {text} b")
    before, glued, after = re.fullmatch(r'(.*?)<span class="glued">(.*)</span>(.*?)', html).groups()
    assert (before, after) == ("a ", " b")
    assert glued.endswith("</span>" + text.split("$")[2])


def test_a_formula_between_spaces_is_not_glued():
    assert "glued" not in render_inline("a $x$ b")


@pytest.mark.parametrize("part", PARTS)
def test_a_link_to_a_part_lights_it_and_leads_to_the_lab(part):
    html = render_inline(f"[these](#{part})")
    assert html == f'<a class="light" href="#lab-view" data-light="{part}">these</a>'


def test_a_link_to_a_term_leads_to_its_definition():
    assert 'href="#term-nats"' in render_inline("[nats](term:nats)")


def test_a_word_with_a_role_is_no_link():
    assert render_inline("[a **query**](role:query)") == (
        '<span class="is-query">a <strong>query</strong></span>'
    )


@pytest.mark.parametrize("href", ["/models", "https://example.org/?a=1#b"])
def test_other_links_stay_as_they_are(href):
    assert render_inline(f"[there]({href})") == f'<a href="{href}">there</a>'


def test_links_and_placeholders_have_their_lines():
    text = "a {b}\n[c](?d=1)\n\n| {e} |\n|---|\n| [f](#keys) |\n"
    assert [(link.href, link.line) for link in links(text)] == [("?d=1", 2), ("#keys", 6)]
    assert list(placeholders_with_lines(text)) == [("b", 1), ("e", 4)]


def test_braces_in_formulas_are_no_placeholders():
    assert placeholders(r"{word} of $\sqrt{d_k}$ and $\{a\}$") == {"word"}
