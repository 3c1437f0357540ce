"""The options of a check are shown in an order that gives nothing away and never changes."""

from collections import Counter

from app.lesson.option_order import ordered_options
from app.lesson.schema import CheckOption

OPTIONS = [
    CheckOption(id=name, text="t", feedback="f", right=name == "a") for name in ("a", "b", "c")
]


def places(lesson, numbers=range(1, 13)):
    """The place of the right option in successive steps."""
    return [
        ordered_options(OPTIONS, lesson, f"step-{number}", number).index(OPTIONS[0])
        for number in numbers
    ]


def test_the_options_stay_the_same():
    assert (
        sorted(ordered_options(OPTIONS, "lesson", "step", 4), key=lambda each: each.id) == OPTIONS
    )


def test_the_order_is_the_same_every_time_whatever_the_order_in_the_file():
    order = ordered_options(OPTIONS, "lesson", "step", 2)
    assert all(
        ordered_options(list(options), "lesson", "step", 2) == order
        for options in (OPTIONS, reversed(OPTIONS))
    )


def test_the_right_option_has_each_place_equally_often():
    for lesson in ("one", "two", "three"):
        assert Counter(places(lesson)) == {0: 4, 1: 4, 2: 4}


def test_the_places_of_two_lessons_differ():
    assert len({tuple(places(f"lesson-{number}")) for number in range(5)}) > 1


def test_the_wrong_options_do_not_keep_their_order():
    orders = [
        tuple(each.id for each in ordered_options(OPTIONS, "lesson", f"s{n}", n) if not each.right)
        for n in range(1, 13)
    ]
    assert len(set(orders)) == 2
