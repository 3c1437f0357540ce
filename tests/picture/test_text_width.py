import re
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont
from hypothesis import given
from hypothesis import strategies as st

from app.picture import inter_widths
from app.picture.text_width import BOLD_FACTOR, shorten, text_width, widths_module
from app.settings import site_folder

VENDOR = site_folder("static") / "vendor"
WORDS = ["The", "followed", "unquestionably", "Ärger", "it’s", "3.14", "~0", "−12", "a b"]


@pytest.mark.parametrize("word", WORDS)
def test_widths_are_those_of_the_font(word):
    with TTFont(VENDOR / "inter.ttf") as font:
        glyphs = [font.getBestCmap()[ord(character)] for character in word]
        expected = sum(font["hmtx"][glyph][0] for glyph in glyphs) / font["head"].unitsPerEm
    assert text_width(word, 12) == pytest.approx(12 * expected, abs=0.05)


@pytest.mark.parametrize("word", ["The", "followed", "unquestionably", "opened", "WWW", "illi"])
def test_bold_words_are_hardly_wider_than_estimated(word):
    with TTFont(VENDOR / "inter.woff2") as variable:
        font = instantiateVariableFont(variable, {"wght": 700})
        glyphs = [font.getBestCmap()[ord(character)] for character in word]
        expected = sum(font["hmtx"][glyph][0] for glyph in glyphs) / font["head"].unitsPerEm
    assert 0.98 * expected <= text_width(word, 1, bold=True) <= 1.1 * expected
    assert text_width(word, 1, bold=True) == BOLD_FACTOR * text_width(word, 1)


def test_characters_that_the_font_lacks_have_the_width_of_wide_ones():
    assert text_width("雪", 10) == 10
    assert text_width("🙂", 10) == 14
    assert text_width("ж", 10) >= 6
    assert text_width("e\u0301", 10) == text_width("e", 10)
    assert text_width("\u200b", 10) == 0


def test_the_table_is_that_of_the_font():
    module = Path(str(inter_widths.__file__)).read_text("utf-8")
    assert module == widths_module(VENDOR / "inter.ttf")
    command = [sys.executable, "-m", "app.picture.text_width"]
    root = VENDOR.parent.parent
    written = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    assert written.decode() == module


@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1), st.floats(0, 200))
def test_a_shortened_text_fits_or_is_as_short_as_possible(text, room):
    short = shorten(text, 12, room)
    if text_width(text, 12) <= room:
        assert short == text
        return
    assert short.endswith("…")
    assert text.startswith(short[:-1])
    assert text_width(short, 12) <= room or short == text[:1] + "…"


def test_a_long_word_keeps_as_much_as_fits():
    room = text_width("floccinauci…", 12)
    assert shorten("floccinaucinihilipilification", 12, room) == "floccinauci…"
    assert re.fullmatch(r"f.*…", shorten("floccinauci", 12, room - 20))
