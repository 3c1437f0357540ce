"""The list of deliberate mistakes and the command that runs it."""

import re
from dataclasses import replace

import pytest

from tests import mutants
from tests.mutants import MUTANTS, ROOT, Mutant, MutantError, check, is_killed

HALVES = Mutant("halves", "doubling.py", "2 * x", "x / 2", ("test_doubling.py",))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one function and one test of it, which needs no plugin."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "doubling.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "test_doubling.py").write_text(
        "from doubling import double\n\ndef test_double():\n    assert double(1) == 2\n"
    )
    return tmp_path


def test_every_mutant_can_be_applied():
    assert check(MUTANTS, ROOT) == []


def test_every_mutant_has_its_own_name():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_a_mutant_is_killed_if_a_test_fails_and_survives_otherwise(project):
    source = (project / "doubling.py").read_text()
    assert is_killed(HALVES, project) == (True, "test_doubling.py::test_double")
    grows = replace(HALVES, new="x + 1")
    assert is_killed(grows, project)[0] is False
    assert (project / "doubling.py").read_text() == source


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"old": "3 * x"}, r"0 occurrences in doubling.py of: 3 \* x"),
        ({"old": "e"}, r"3 occurrences in doubling.py"),
        ({"file": "nowhere.py"}, r"0 occurrences in nowhere.py"),
        ({"new": "2 * x"}, r"nothing changes"),
        ({"tests": ("test_nothing.py",)}, r"there is no test_nothing.py"),
    ],
)
def test_a_mutant_that_cannot_be_applied_is_an_error(project, change, message):
    mutant = replace(HALVES, **change)
    assert re.search(message, "".join(check([mutant], project)))
    with pytest.raises(MutantError, match=message):
        is_killed(mutant, project)


@pytest.mark.parametrize("new", ["2 *", "nothing + x\nnothing"])
def test_a_mutant_with_which_no_test_runs_is_not_killed(project, new):
    with pytest.raises(MutantError, match="the tests did not run"):
        is_killed(replace(HALVES, new=new), project)


def test_the_command_reports_survivors_and_fails(project, monkeypatch, capsys):
    grows = Mutant("grows", "doubling.py", "2 * x", "x + 1", HALVES.tests)
    monkeypatch.setattr(mutants, "ROOT", project)
    monkeypatch.setattr(mutants, "MUTANTS", (HALVES, grows))
    assert mutants.main([]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "killed    halves: test_doubling.py::test_double",
        "SURVIVED  grows: test_doubling.py",
        "1 of 2 killed",
    ]
    assert mutants.main(["halves"]) == 0


def test_the_command_does_not_run_mutants_if_the_tests_fail_without_them(
    project, monkeypatch, capsys
):
    (project / "doubling.py").write_text("def double(x):\n    return 2 * x + 1\n")
    monkeypatch.setattr(mutants, "ROOT", project)
    monkeypatch.setattr(mutants, "MUTANTS", (HALVES,))
    assert mutants.main([]) == 2
    assert "Without any mistake the tests fail" in capsys.readouterr().out
