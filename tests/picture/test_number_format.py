import re

import numpy as np
import pytest

from app.picture.number_format import LEVELS, format_cell, format_weight, quantise, text_class
from app.settings import site_folder


def test_levels_run_from_0_to_20_in_even_steps():
    assert quantise(np.linspace(0, 1, LEVELS + 1)).tolist() == list(range(LEVELS + 1))
    assert quantise(np.array([-1.0, 0.024, 0.026, 2.0])).tolist() == [0, 0, 1, 20]


def test_the_stylesheet_has_every_level_and_every_ink():
    css = (site_folder("static") / "style" / "heat.css").read_text()
    assert re.findall(r"^\.heat-(\d+) ", css, re.MULTILINE) == [str(k) for k in range(LEVELS + 1)]
    assert {text_class(level) for level in range(LEVELS + 1)} == set(
        re.findall(r"^\.(on-\w+)", css, re.M)
    )


@pytest.mark.parametrize(
    ("weight", "text"),
    [(0, "0"), (0.004, "<.01"), (0.074, ".07"), (0.5, ".50"), (0.996, ">.99"), (1, "1")],
)
def test_only_an_exact_0_or_1_is_written_so(weight, text):
    assert format_cell(weight) == text
    assert format_weight(weight) == text.replace(".", "0.")
