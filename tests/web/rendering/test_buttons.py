import pytest

from app.lesson import Controls, LabState
from app.lesson.selection import Selection
from app.models import Token, Word
from app.web.rendering.buttons import cell_buttons, word_buttons
from tests.web.html import parse_html
from tests.web.rendering.hostile_texts import HOSTILE_TEXTS


def make_word(text, *, known=True):
    return Word(0, text, (Token(7, text, 0, len(text), 0, known),))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_word_button_has_the_word_as_typed(text, known):
    html = parse_html(word_buttons([make_word(text, known=known)], 0, ""))
    (button,) = html.content[:1]
    assert button.raw_text == text
    assert [each.tag for each in html.descendants] == ["button", *([] if known else ["span"])]
    assert html.has("span.unknown") == (not known)
    assert button["aria-pressed"] == "true"
    assert "disabled" not in button


def test_a_button_of_a_split_word_marks_its_tokens(models):
    sentence = models["headwise-h4"].tokenizer.sentence("unbelievability ☃")
    html = parse_html(word_buttons(sentence.words, 1, " disabled"))
    pieces = html.find_all("span.piece")
    assert [piece.text for piece in pieces] == [piece.text for piece in sentence.words[0].pieces]
    assert len(pieces) > 1
    assert html.find("span.unknown").text == "☃"
    buttons = html.find_all("button")
    assert [each["aria-pressed"] for each in buttons] == ["false", "true"]
    assert all("disabled" in each for each in buttons)


def test_a_cell_button_names_query_and_key_and_deselects_the_chosen_one(models):
    sentence = models["headwise-h4"].tokenizer.sentence("\"a\" <b> & 'c'")
    tokens = [token.text for token in sentence.tokens]
    selection = Selection(sentence, models["headwise-h4"], 0, 0, 0)
    state = LabState(selection, models, controls=Controls(cell=(0, 2)))
    buttons = parse_html(cell_buttons(state, 0, "")).find_all("button")
    assert [button["aria-label"] for button in buttons] == [
        f"Explain how much {tokens[0]} reads {each}" for each in tokens
    ]
    assert [button["value"] for button in buttons] == [
        "" if column == 2 else f"0.{column}" for column in range(len(tokens))
    ]
    assert [button["aria-pressed"] for button in buttons].index("true") == 2
    assert "true" not in cell_buttons(state, 1, "")
