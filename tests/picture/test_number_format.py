import math

import pytest

from app.picture.number_format import (
    format_cell,
    format_number,
    format_signed,
    format_signed_cell,
    format_weight,
)


@pytest.mark.parametrize(
    ("weight", "text"),
    [(0, "0"), (0.004, "<.01"), (0.074, ".07"), (0.5, ".50"), (0.996, ">.99"), (1, "1")],
)
def test_only_an_exact_0_or_1_is_written_so(weight, text):
    assert format_cell(weight) == text
    assert format_weight(weight) == text.replace(".", "0.")


@pytest.mark.parametrize(
    ("value", "text"), [(1.2, "+1.20"), (-0.034, "−0.03"), (0.001, "0.00"), (-0.001, "0.00")]
)
def test_a_change_is_formatted_with_its_sign(value, text):
    assert format_signed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.004, "0"),
        (-0.004, "0"),
        (0.05, ".05"),
        (-0.05, "−.05"),
        (0.994, ".99"),
        (0.996, "1.0"),
        (-3.14, "−3.1"),
        (9.94, "9.9"),
        (9.96, "10"),
        (-123.4, "−123"),
        (-math.inf, "−∞"),
    ],
)
def test_a_signed_cell_has_two_or_three_digits(value, text):
    assert format_signed_cell(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (12.34, "12.3"), (-0.0412, "−0.0412"), (1234.5, "1230"), (5, "5.00")],
)
def test_a_number_has_three_significant_digits(value, text):
    assert format_number(value) == text
