from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from markupsafe import escape

from app.lesson import Controls, LabState
from app.lesson.labs.head_figure import TopWord, head_figures
from app.lesson.selection import Selection
from app.models.tokenizer import Sentence, Token
from app.web.rendering.heads import head_map, head_row, meta_line, top_word_text
from tests.web.html import parse_html
from tests.web.rendering.hostile_texts import HOSTILE_TEXTS
from tests.web.requests import HTMX


def figures_of(models, text, model="headwise-h4", **controls):
    """The heads of layer 0 with head 1 chosen."""
    sentence = models[model].tokenizer.sentence(text)
    state = LabState(
        Selection(sentence, models[model], 0, 1, 0), models, controls=Controls(**controls)
    )
    return head_figures(state, state.maps)


@pytest.fixture
def figure(models):
    return figures_of(models, "Birds sing at dawn")[1]


@pytest.mark.parametrize("selectable", [True, False])
@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("layout", ["map", "grid", "lines"])
def test_a_head_has_what_a_cursor_and_a_press_need(figure, layout, readable, selectable):
    html = head_map(figure, layout, readable=readable, selectable=selectable, disabled="")
    element = parse_html(html).find("figure.head.chosen")
    assert element.get("data-head") == ("1" if readable else None)
    assert element.has("p.read-out") == (readable and layout != "lines")
    assert element.has("button#name-1[name=head][value=1][aria-pressed=true]") == selectable
    assert element.has("span.head-name") == (not selectable)
    assert element.has("svg.map")
    assert element.has("ol.strip")


def test_a_row_of_a_head_has_no_map(figure):
    element = parse_html(head_row(figure, selectable=True, disabled="")).find("section.chosen")
    assert not element.has("svg")
    assert element.has("ol.strip")
    assert element.find("button#name-1").text == "Head 1"
    assert parse_html(top_word_text(figure)).text in element.text
    assert parse_html(meta_line(figure)).text in element.text


def test_only_the_chosen_head_is_marked_and_pressed(models):
    others = [each for each in figures_of(models, "Birds sing") if each.head != 1]
    assert len(others) == 3
    for other in others:
        for html in (
            head_map(other, "map", readable=True, selectable=True, disabled=""),
            head_row(other, selectable=True, disabled=""),
        ):
            element = parse_html(html)
            assert not element.has("figure.chosen, section.chosen")
            assert element.find("button")["aria-pressed"] == "false"


@pytest.mark.parametrize("disabled", ["", " disabled"])
def test_the_name_of_a_head_can_be_disabled(figure, disabled):
    for html in (
        head_map(figure, "map", readable=True, selectable=True, disabled=disabled),
        head_row(figure, selectable=True, disabled=disabled),
    ):
        assert ("disabled" in parse_html(html).find("button")) == bool(disabled)


def test_a_wide_map_scrolls_in_a_region_of_its_own(models):
    (*_, wide) = figures_of(models, "cat " * 17)
    (*_, narrow) = figures_of(models, "cat " * 16)
    html = parse_html(head_map(wide, "map", readable=True, selectable=False, disabled=""))
    region = html.find("section.scroll[tabindex=0]")
    assert region["aria-label"] == f"Map of head {wide.head} of headwise-h4"
    assert region.has("svg.map")
    html = parse_html(head_map(narrow, "map", readable=True, selectable=False, disabled=""))
    assert not html.has("section")


def test_the_line_below_a_head_has_its_figures(figure):
    strongest = figure.largest_cell
    assert parse_html(meta_line(figure)).text == (
        "headwise-h4 · trained · layer 0 · head 1 ·"
        f" strongest {strongest.query} → {strongest.key} {strongest.weight:.2f} ·"
        f" mean entropy {figure.mean_entropy:.2f} bits"
    )


def test_a_weight_that_rounds_to_one_does_not_become_markup(figure):
    nearly_one = replace(figure, largest_cell=replace(figure.largest_cell, weight=0.9999))
    assert "</bdi> &gt;0.99 ·" in meta_line(nearly_one)


def test_heads_that_share_keys_say_with_which(models):
    shared = figures_of(models, "Birds sing", groups=2)
    assert "keys and values shared by heads 0 to 1 ·" in parse_html(meta_line(shared[1])).text
    assert "keys and values shared by heads 2 to 3 ·" in parse_html(meta_line(shared[2])).text
    assert "shared" not in meta_line(figures_of(models, "Birds sing")[1])


@pytest.mark.parametrize(
    ("top_word", "text"),
    [
        (TopWord("sing", 0.5, None, False), "Birds reads sing most, 0.50"),
        (TopWord("sing", 0.5, 3, False), "Birds reads sing (word 3) most, 0.50"),
        (TopWord("Birds", 0.5, 1, True), "Birds reads itself most, 0.50"),
        (TopWord("sing", 0.9999, None, False), "Birds reads sing most, >0.99"),
    ],
)
def test_the_top_word_is_named_with_its_weight(figure, top_word, text):
    html = top_word_text(replace(figure, top_word=top_word))
    assert parse_html(html).text == text
    assert html.endswith(f"most, {escape(text.rpartition(' ')[2])}</span>")


def test_of_weighted_maps_a_word_gets(models):
    weighted = figures_of(models, "Birds sing", weighted=True)[0]
    assert parse_html(top_word_text(weighted)).text.startswith("Birds gets ")


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_head_escapes_the_words_that_it_names(figure, text):
    sentence = Sentence(text, (Token(0, text, 0, len(text), 0, True),))
    selection = replace(figure.state.selection, sentence=sentence)
    hostile = replace(
        figure,
        state=replace(figure.state, selection=selection),
        top_word=TopWord(text, 0.5, None, False),
        largest_cell=replace(figure.largest_cell, query=text, key=text),
    )
    assert parse_html(top_word_text(hostile)).raw_text == f"{text} reads {text} most, 0.50"
    assert f"strongest {text} → {text} " in parse_html(meta_line(hostile)).raw_text


@pytest.mark.parametrize("show", ["grid", "map", "lines", "strip", "overview"])
@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_every_part_of_a_fragment_shows_hostile_words_as_text(client, step_1, show, text):
    sentence = f"{text} {text} {text}"
    hostile, harmless = (
        parse_html(
            client.get(
                step_1, params={"text": each, "show": show, "open": "files"}, headers=HTMX
            ).text
        )
        for each in (sentence, "cat cat cat")
    )
    tags = {element.tag for element in hostile.descendants}
    assert tags <= {element.tag for element in harmless.descendants} | {"path", "span"}
    assert hostile.find("input[name=was_text]")["value"] == sentence
    query = dict(parse_qsl(urlsplit(hostile.find("#share-link")["value"]).query))
    assert query["text"] == sentence
