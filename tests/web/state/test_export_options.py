import pytest

from app.exports.figure import ExportOptions
from app.web.state.export_options import parse_export_options


def test_the_first_choice_of_each_option_is_the_default():
    problems = []
    assert parse_export_options({}, "grid", problems) == ExportOptions(
        "light", "default", 1, "grid"
    )
    assert not problems


def test_every_option_is_read_from_the_query():
    query = {"theme": "dark", "heat": "viridis", "scale": "4"}
    options = parse_export_options(query, "map", problems := [])
    assert options == ExportOptions("dark", "viridis", 4, "map")
    assert not problems


@pytest.mark.parametrize("name", ["theme", "heat", "scale"])
def test_an_unknown_choice_is_a_problem_and_the_default_is_used(name):
    options = parse_export_options({name: "3"}, "map", problems := [])
    assert options == ExportOptions("light", "default", 1, "map")
    assert [problem.name for problem in problems] == [name]
