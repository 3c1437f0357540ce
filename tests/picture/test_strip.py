import re

import numpy as np

from app.picture import word_strip


def test_every_word_has_its_weight_and_its_heat():
    html = word_strip(np.array([0.1, 0.65, 0.25]), ["The", "cat", "sat"], query=2)
    assert html == (
        '<ol class="strip">'
        '<li class="heat-2 on-cool"><span class="word">The</span>'
        '<span class="weight">.10</span></li>'
        '<li class="heat-13 on-hot is-top"><span class="word">cat</span>'
        '<span class="weight">.65</span></li>'
        '<li class="heat-5 on-cool is-query"><span class="word">sat</span>'
        '<span class="weight">.25</span></li>'
        "</ol>"
    )


def test_text_is_readable_at_the_level_of_its_word():
    html = word_strip(np.array([0.45, 0.5, 0.6]), ["a", "b", "c"], query=0)
    assert re.findall(r'class="(heat-\d+ on-\w+)', html) == [
        "heat-9 on-cool",
        "heat-10 on-mid",
        "heat-12 on-hot",
    ]


def test_words_and_weights_are_escaped():
    html = word_strip(np.array([0.999, 0.001]), ["<b>&", "c"], query=0)
    assert "&lt;b&gt;&amp;" in html
    assert "&gt;.99" in html
    assert "&lt;.01" in html
