"""Parts of pages that are put together in a hurry, and what learners type in them."""

from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest
from jinja2 import DictLoader
from markupsafe import Markup, escape

from app.lesson import LABS, Controls, LabState
from app.lesson.selection import Selection
from app.models import Token, Word
from app.web.rendering.buttons import cell_buttons, word_buttons
from app.web.rendering.templates import create_environment, parts_kept
from tests.web.routes.test_step import HTMX, get_page

HOSTILE_TEXTS = [
    '"><script>x</script>',
    "a&b",
    "it's",
    '"quoted"',
    "%(map)s",
    "100%",
    "<b>",
    "&amp;",
]


class MarkupReader(HTMLParser):
    """Tags with their attributes, and all text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(str(html))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def cached_partial():
    """Of a part with two values and two blanks."""
    jinja = create_environment("/static/x")
    template = (
        "{% macro content(a, b, x, y) %}{{ a }} % {% if b %}<i>{{ x }}</i>{% endif %} {{ y }}"
    )
    jinja.loader = DictLoader({"part.html": template + "{% endmacro %}"})
    return parts_kept(jinja)


def test_placeholders_are_filled_each_time(cached_partial):
    assert cached_partial("part.html", "a", True, x=1, y="b") == "a % <i>1</i> b"
    assert cached_partial("part.html", "a", True, x="c", y=None) == "a % <i>c</i> None"
    assert cached_partial("part.html", "d", False, x="c", y="e") == "d %  e"


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_placeholder_values_are_escaped(cached_partial, text):
    html = cached_partial("part.html", text, True, x=text, y=Markup("<b>"))
    assert html == f"{escape(text)} % <i>{escape(text)}</i> <b>"


def test_placeholder_values_contain_no_placeholders(cached_partial):
    for text in ("\ufdd0y\ufdd1", "%(y)s"):
        assert cached_partial("part.html", "a", True, x=text, y="b") == f"a % <i>{text}</i> b"


def make_word(text, *, known=True):
    return Word(0, text, (Token(7, text, 0, len(text), 0, known),))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_word_button_has_the_word_as_typed(text, known):
    html = MarkupReader(word_buttons([make_word(text, known=known)], 0, ""))
    assert html.text == f"{text}\n"
    assert [tag for tag, _ in html.tags] == ["button", *([] if known else ["span"])]
    assert html.tags[0][1]["aria-pressed"] == "true"


def test_a_button_of_a_split_word_marks_its_tokens(models):
    sentence = models["headwise-h4"].tokenizer.sentence("unbelievability ☃")
    html = MarkupReader(word_buttons(sentence.words, 1, " disabled"))
    pieces = [attrs["class"] for tag, attrs in html.tags if tag == "span"]
    assert pieces == ["piece"] * len(sentence.words[0].pieces) + ["unknown"]
    buttons = [attrs for tag, attrs in html.tags if tag == "button"]
    assert [each["aria-pressed"] for each in buttons] == ["false", "true"]
    assert all("disabled" in each for each in buttons)


def test_a_cell_button_names_query_and_key_and_deselects_the_chosen_one(models):
    sentence = models["headwise-h4"].tokenizer.sentence("\"a\" <b> & 'c'")
    tokens = [token.text for token in sentence.tokens]
    selection = Selection(sentence, models["headwise-h4"], 0, 0, 0)
    view = LabState(selection, models, controls=Controls(cell=(0, 2)))
    html = MarkupReader(cell_buttons(view, 0, ""))
    assert [attrs["aria-label"] for _, attrs in html.tags] == [
        f"Explain how much {tokens[0]} reads {each}" for each in tokens
    ]
    values = [attrs["value"] for _, attrs in html.tags]
    assert values == ["" if column == 2 else f"0.{column}" for column in range(len(tokens))]
    assert [attrs["aria-pressed"] for _, attrs in html.tags].index("true") == 2


@pytest.mark.parametrize("show", ["grid", "map", "lines", "strip", "overview"])
@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_every_part_of_a_fragment_shows_hostile_words_as_text(client, step_1, show, text):
    sentence = f"{text} {text} {text}"
    html = get_page(client, step_1, headers=HTMX, text=sentence, show=show).text
    harmless_html = get_page(client, step_1, headers=HTMX, text="cat cat cat", show=show).text
    markup = MarkupReader(html)
    assert {tag for tag, _ in markup.tags} <= {
        tag for tag, _ in MarkupReader(harmless_html).tags
    } | {"path", "span"}
    values = {attrs.get("id"): attrs.get("value") for tag, attrs in markup.tags if tag == "input"}
    address = urlsplit(values["share-link"])
    assert dict(parse_qsl(address.query))["text"] == sentence
    assert "\ufdd0" not in html


def test_a_head_escapes_the_words_that_it_names(models):
    sentence = models["headwise-h4"].tokenizer.sentence("<i> & <i>")
    view = LabState(Selection(sentence, models["headwise-h4"], 0, 0, 1), models)
    figure = LABS["mix"].run(view).heads[0]
    head = create_environment("/static/x").globals["head"]
    for kind in ("figure", "lines", "row"):
        html = MarkupReader(head(kind, figure, "", readable=True, selectable=True))
        assert "i" not in {tag for tag, _ in html.tags}
        assert "strongest" in html.text
        assert figure.top_word.is_self or figure.top_word.word in html.text
