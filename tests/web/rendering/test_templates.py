import pytest
from jinja2 import DictLoader, UndefinedError
from markupsafe import Markup, escape

from app.web.rendering.templates import create_environment, inline_markdown, partial_cache
from tests.web.html import parse_html
from tests.web.rendering.hostile_texts import HOSTILE_TEXTS


@pytest.fixture
def env():
    return create_environment("/static/x")


@pytest.fixture
def partial(env):
    env.loader = DictLoader(
        {
            "a.html": "{% macro content(a, b) %}{{ a }}{% if b %}<i>{{ b }}</i>{% endif %}"
            "{% endmacro %}",
            "b.html": "{% macro content(a) %}{{ page_value }}{% endmacro %}",
        }
    )
    return partial_cache(env)


def test_a_value_of_python_stays_text_through_blocks_and_macros(env):
    macro = "{% macro m(x) %}[{{ x }}]{% endmacro %}"
    template = env.from_string(macro + "{% set y %}{{ x }}{% endset %}{{ m(x) }}{{ y }}{{ m(y) }}")
    assert template.render(x="<i>") == "[&lt;i&gt;]&lt;i&gt;[&lt;i&gt;]"
    assert env.from_string(macro + "{{ m(x) ~ x }}").render(x="<i>") == "[&lt;i&gt;]&lt;i&gt;"


def test_an_undefined_name_is_an_error(env):
    with pytest.raises(UndefinedError, match="nobody"):
        env.from_string("{{ nobody }}").render()


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_learners_words_are_escaped_in_a_phrase_of_a_lesson(text):
    html = parse_html(inline_markdown("The *word* {word}", {"word": text}))
    assert html.raw_text == f"The word {text}"
    assert [element.tag for element in html.descendants] == ["em", "bdi"]


def test_a_static_url_has_the_version(env):
    assert env.from_string("{{ static('style.css') }}").render() == "/static/x/style.css"


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_arguments_of_a_partial_are_escaped_unless_they_are_markup(partial, text):
    assert partial("a.html", text, Markup("<b>")) == f"{escape(text)}<i><b></i>"


def test_every_argument_of_a_partial_is_in_its_cache_key(partial):
    calls = [("a", "b"), ("a", "c"), ("b", "b"), ("a", ""), (1, True), (1.0, 1), (True, 1)]
    for _ in range(2):
        assert [partial("a.html", *call) for call in calls] == [
            *("a<i>b</i>", "a<i>c</i>", "b<i>b</i>", "a"),
            *("1<i>True</i>", "1.0<i>1</i>", "True<i>1</i>"),
        ]


def test_a_partial_is_rendered_once_for_equal_arguments(env, partial, monkeypatch):
    assert partial("a.html", "a", "b") == "a<i>b</i>"
    monkeypatch.setattr(env, "get_template", None)
    assert partial("a.html", "a", "b") == "a<i>b</i>"
    with pytest.raises(TypeError):
        partial("a.html", "a", "c")


def test_a_partial_sees_nothing_of_the_page(partial):
    with pytest.raises(UndefinedError, match="page_value"):
        partial("b.html", "a")


def test_the_menu_of_heads_marks_the_compared_one_and_leaves_out_the_shown_one(env):
    cached_partial, heads = env.globals["cached_partial"], (("<a>", 2), ("b", 1))

    def menu(*values):
        return cached_partial("parts/heads-menu.html", heads, *values)

    assert 'value="&lt;a&gt;.1"' in menu("<a>", 0, None)
    assert 'value="&lt;a&gt;.0"' not in menu("<a>", 0, None)
    assert 'value="&lt;a&gt;.0"' in menu("b", 0, None)
    assert '<option value="b.0" selected>' in menu("<a>", 0, ("b", 0))
