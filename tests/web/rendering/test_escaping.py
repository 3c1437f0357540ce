import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.runtime import Undefined
from markupsafe import Markup, escape

from app.web.rendering.escaping import escaped
from app.web.rendering.templates import create_environment


class HasHtml(str):
    """A kind of text that says itself what it is in HTML."""

    def __html__(self):
        return "<b>told</b>"


@given(st.text())
def test_text_is_escaped_as_jinja_does(text):
    assert escaped(text) == str(escape(text))


@pytest.mark.parametrize(
    "value",
    [
        *("<script>", "a&b", "it's", '"', "", "word", "雪", "a b", "x<y", "1.5", "½"),
        *(0, -3, 10**30, True, False, None, 0.5, float("nan"), (1, "<"), ["<b>"], {"a": "<"}),
        *(Markup("<b>&amp;</b>"), HasHtml("<i>"), Undefined(name="nobody")),
    ],
    ids=repr,
)
def test_any_value_is_escaped_as_jinja_does(value):
    assert escaped(value) == str(escape(value))


def test_typed_text_stays_text_through_blocks_macros_and_partials():
    jinja = create_environment("/static/x")
    macro = "{% macro m(x) %}[{{ x }}]{% endmacro %}"
    template = jinja.from_string(
        macro + "{% set y %}{{ x }}{% endset %}{{ m(x) }}{{ y }}{{ m(y) }}"
    )
    assert template.render(x="<i>") == "[&lt;i&gt;]&lt;i&gt;[&lt;i&gt;]"
    assert jinja.from_string(macro + "{{ m(x) ~ x }}").render(x="<i>") == "[&lt;i&gt;]&lt;i&gt;"


def test_partials_are_cached_by_their_values():
    cached_partial = create_environment("/static/x").globals["kept"]
    heads = (("<a>", 2), ("b", 1))

    def menu(*values):
        return str(cached_partial("parts/heads-menu.html", heads, *values))

    assert menu("<a>", 0, None) == menu("<a>", 0, None)
    assert 'value="&lt;a&gt;.1"' in menu("<a>", 0, None)
    assert 'value="&lt;a&gt;.0"' not in menu("<a>", 0, None)
    assert 'value="&lt;a&gt;.0"' in menu("b", 0, None)
    assert '<option value="b.0" selected>' in menu("<a>", 0, ("b", 0))
