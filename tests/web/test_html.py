"""The parser of pages that tests use."""

import pytest

from tests.web.html import form_values, parse_html, submission_url

PAGE = parse_html("""
<p class="note first" id="intro">Two  <b>bold
words</b> &amp; more</p>
<ul><li>1</li><li class="note">2 <img src="a.png" alt=""></li></ul>
<form id="f" action="/go">
  <button hidden>Go</button>
  <input type="hidden" name="was" value="x y">
  <input name="text" value="a">
  <input type="checkbox" name="tick" value="1">
  <input name="off" value="z" disabled>
  <select name="s"><option value="1">one</option><option selected>two</option></select>
  <button id="press" name="press" value="2">Press</button>
</form>
<button id="away" form="f" name="away" value="3">Away</button>
""")


def test_text_is_unescaped_and_without_runs_of_spaces():
    assert PAGE.find("#intro").text == "Two bold words & more"


@pytest.mark.parametrize(
    ("selector", "n"),
    [
        ("li", 2),
        ("p.note", 1),
        (".note", 2),
        (".note.first", 1),
        ("li:not(.note)", 1),
        ("p, li", 3),
        ("ul img", 1),
        ("p img", 0),
        ('input[type="hidden"]', 1),
        ("input[disabled]", 1),
        ('[name=text][value="a"]', 1),
        ("form#f select option[selected]", 1),
        ("#nowhere", 0),
    ],
)
def test_selectors_find_what_css_finds(selector, n):
    assert len(PAGE.find_all(selector)) == n
    assert PAGE.has(selector) == (n > 0)


def test_the_source_of_an_element_is_its_part_of_the_page():
    assert PAGE.find("b").source == "<b>bold\nwords</b>"
    assert PAGE.find("img").source == '<img src="a.png" alt="">'


def test_an_element_that_is_missing_or_repeated_is_an_error():
    for selector in ("#nowhere", "li"):
        with pytest.raises(AssertionError, match="not one"):
            PAGE.find(selector)


@pytest.mark.parametrize("html", ["<p><b></p></b>", "<p>", "</p>"])
def test_tags_that_are_not_closed_in_order_are_an_error(html):
    with pytest.raises(AssertionError, match="close"):
        parse_html(html)


def test_a_form_sends_what_it_holds_and_the_pressed_button():
    assert form_values(PAGE, "f") == [("was", "x y"), ("text", "a"), ("s", "two")]
    assert submission_url(PAGE, "f") == "/go?was=x+y&text=a&s=two"
    typed = {"text": "b & c", "tick": "1", "s": "1"}
    assert submission_url(PAGE, "f", "#press", **typed) == (
        "/go?was=x+y&text=b+%26+c&tick=1&s=1&press=2"
    )
    assert submission_url(PAGE, "f", "#away") == "/go?was=x+y&text=a&s=two&away=3"


@pytest.mark.parametrize("typed", [{"nobody": "1"}, {"off": "1"}, {"s": "three"}])
def test_what_cannot_be_typed_is_an_error(typed):
    with pytest.raises(AssertionError, match=r"field|option"):
        form_values(PAGE, "f", **typed)
