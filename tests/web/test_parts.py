"""Parts of pages that are put together in a hurry, and what learners type in them."""

from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest
from jinja2 import DictLoader
from markupsafe import Markup, escape

from app.lesson import LABS, Controls, LabState
from app.models import Token, Word
from app.web.rendering.buttons import cell_buttons, word_buttons
from app.web.rendering.templates import create_environment, parts_kept
from tests.web.test_pages import HTMX, get

HOSTILE = ['"><script>x</script>', "a&b", "it's", '"quoted"', "%(map)s", "100%", "<b>", "&amp;"]


class Read(HTMLParser):
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
def kept():
    """Of a part with two values and two blanks."""
    jinja = create_environment("/static/x")
    part = "{% macro content(a, b, x, y) %}{{ a }} % {% if b %}<i>{{ x }}</i>{% endif %} {{ y }}"
    jinja.loader = DictLoader({"part.html": part + "{% endmacro %}"})
    return parts_kept(jinja)


def test_blanks_are_filled_in_each_time(kept):
    assert kept("part.html", "a", True, x=1, y="b") == "a % <i>1</i> b"
    assert kept("part.html", "a", True, x="c", y=None) == "a % <i>c</i> None"
    assert kept("part.html", "d", False, x="c", y="e") == "d %  e"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_fills_a_blank_is_escaped(kept, text):
    filled_in = kept("part.html", text, True, x=text, y=Markup("<b>"))
    assert filled_in == f"{escape(text)} % <i>{escape(text)}</i> <b>"


def test_what_fills_a_blank_has_no_blanks_itself(kept):
    for text in ("\ufdd0y\ufdd1", "%(y)s"):
        assert kept("part.html", "a", True, x=text, y="b") == f"a % <i>{text}</i> b"


def word(text, *, known=True):
    return Word(0, text, (Token(7, text, 0, len(text), 0, known),))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_chip_spells_its_word_as_it_was_typed(text, known):
    html = Read(word_buttons([word(text, known=known)], 0, ""))
    assert html.text == f"{text}\n"
    assert [tag for tag, _ in html.tags] == ["button", *([] if known else ["span"])]
    assert html.tags[0][1]["aria-pressed"] == "true"


def test_a_chip_of_a_split_word_marks_its_pieces(models):
    sentence = models["headwise-h4"].tokenizer.sentence("unbelievability ☃")
    html = Read(word_buttons(sentence.words, 1, " disabled"))
    pieces = [attrs["class"] for tag, attrs in html.tags if tag == "span"]
    assert pieces == ["piece"] * len(sentence.words[0].pieces) + ["unknown"]
    buttons = [attrs for tag, attrs in html.tags if tag == "button"]
    assert [each["aria-pressed"] for each in buttons] == ["false", "true"]
    assert all("disabled" in each for each in buttons)


def test_a_cell_says_who_reads_whom_and_the_chosen_one_is_unchosen(models):
    sentence = models["headwise-h4"].tokenizer.sentence("\"a\" <b> & 'c'")
    tokens = [token.text for token in sentence.tokens]
    view = LabState(
        sentence, models["headwise-h4"], 0, 0, 0, models, controls=Controls(cell=(0, 2))
    )
    html = Read(cell_buttons(view, 0, ""))
    assert [attrs["aria-label"] for _, attrs in html.tags] == [
        f"Explain how much {tokens[0]} reads {each}" for each in tokens
    ]
    values = [attrs["value"] for _, attrs in html.tags]
    assert values == ["" if column == 2 else f"0.{column}" for column in range(len(tokens))]
    assert [attrs["aria-pressed"] for _, attrs in html.tags].index("true") == 2


@pytest.mark.parametrize("show", ["grid", "map", "lines", "strip", "overview"])
@pytest.mark.parametrize("text", HOSTILE)
def test_every_part_of_a_fragment_shows_hostile_words_as_text(client, step_1, show, text):
    sentence = f"{text} {text} {text}"
    html = get(client, step_1, headers=HTMX, text=sentence, show=show).text
    plain = get(client, step_1, headers=HTMX, text="cat cat cat", show=show).text
    read = Read(html)
    assert {tag for tag, _ in read.tags} <= {tag for tag, _ in Read(plain).tags} | {"path", "span"}
    values = {attrs.get("id"): attrs.get("value") for tag, attrs in read.tags if tag == "input"}
    address = urlsplit(values["share-link"])
    assert dict(parse_qsl(address.query))["text"] == sentence
    assert "\ufdd0" not in html


def test_a_head_escapes_the_words_that_it_names(models):
    sentence = models["headwise-h4"].tokenizer.sentence("<i> & <i>")
    view = LabState(sentence, models["headwise-h4"], 0, 0, 1, models)
    figure = LABS["mix"].run(view).heads[0]
    head = create_environment("/static/x").globals["head"]
    for kind in ("figure", "lines", "row"):
        html = Read(head(kind, figure, "", readable=True, selectable=True))
        assert "i" not in {tag for tag, _ in html.tags}
        assert "strongest" in html.text
        assert figure.top_word.is_self or figure.top_word.word in html.text
