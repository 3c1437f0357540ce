"""Links of a recorded version open the same view, whatever happens to the lesson."""

import subprocess
import sys

import pytest

from app.lesson import load_lessons
from app.lesson.__main__ import freeze
from tests.lesson.small_lesson import (
    SLUG,
    SLUG_1,
    SLUG_2,
    STEP_1,
    STEP_2,
    add_lesson,
    add_step,
    edit_step,
    read_recorded,
    remove_step,
    rename_step,
    write_recorded,
)


def issues_in(folder, models):
    return [str(issue) for issue in load_lessons(folder, models).issues]


def load_lesson(folder, models):
    return next(each for each in load_lessons(folder, models).lessons if each.slug == SLUG)


def check_lessons(folder):
    command = [sys.executable, "-m", "app.lesson", str(folder)]
    return subprocess.run(command, capture_output=True, check=False, text=True)


def change_defaults(folder):
    edit_step(folder, f"{STEP_2}.toml", 'text = "Rain fell on the town"', 'text = "Snow fell"')
    edit_step(folder, f"{STEP_2}.toml", 'declared = "320"', 'declared = "128"')


class TestAnAddedStep:
    def test_is_no_issue_and_changes_no_recorded_value(self, folder, models):
        before = read_recorded(folder)
        add_step(folder)
        assert issues_in(folder, models) == []
        lesson = load_lesson(folder, models)
        assert lesson.versions["1"].model_dump() == before["1"]
        assert [lesson.version_for_link(step, "1") for step in lesson.steps] == ["1", "1", None]

    def test_is_announced_by_the_command_with_the_way_to_record_it(self, folder):
        add_step(folder)
        outcome = check_lessons(folder)
        assert outcome.returncode == 0
        assert outcome.stderr == ""
        assert "step one-more is not recorded in version 1 yet" in outcome.stdout
        assert "python -m app.lesson --freeze" in outcome.stdout

    def test_is_added_to_the_version_by_freezing(self, folder, models):
        before = read_recorded(folder)
        add_step(folder)
        freeze(folder, models)
        after = read_recorded(folder)
        assert after["1"]["steps"].pop("one-more") == before["1"]["steps"][SLUG_2]
        assert after["1"]["questions"].pop("one-more") == before["1"]["questions"][SLUG_2]
        assert after == before
        lesson = load_lesson(folder, models)
        assert lesson.version_for_link(lesson.step("3"), None) == "1"
        assert "not recorded" not in check_lessons(folder).stdout

    def test_of_a_new_version_keeps_to_it_under_links_of_the_old(self, folder, models):
        add_step(folder)
        edit_step(folder, "lesson.toml", 'version = "1"', 'version = "2"')
        freeze(folder, models)
        lesson = load_lesson(folder, models)
        assert [lesson.version_for_link(step, "1") for step in lesson.steps] == ["1", "1", "2"]

    def test_may_come_before_the_others(self, folder, models):
        rename_step(folder, STEP_2, f"03-{SLUG_2}")
        rename_step(folder, STEP_1, f"02-{SLUG_1}")
        rename_step(folder, f"03-{SLUG_2}", STEP_2)
        add_step(folder, "01-an-introduction")
        rename_step(folder, STEP_2, f"03-{SLUG_2}")
        assert issues_in(folder, models) == []


class TestQuestions:
    def test_a_new_question_needs_a_new_version(self, folder, models):
        recorded = read_recorded(folder)
        recorded["1"]["questions"][SLUG_2] = "something_else"
        write_recorded(folder, recorded)
        for _ in range(2):
            (issue,) = issues_in(folder, models)
            assert f"{SLUG_2} changed. Name another version" in issue
            freeze(folder, models)
        assert read_recorded(folder) == recorded
        edit_step(folder, "lesson.toml", 'version = "1"', 'version = "2"')
        freeze(folder, models)
        assert issues_in(folder, models) == []
        versions = load_lesson(folder, models).versions
        asks = [versions[name].asks(SLUG_2, "cached_numbers") for name in ("1", "2")]
        assert asks == [False, True]

    def test_a_version_without_questions_asked_nothing_and_stays_so(self, folder, models):
        recorded = read_recorded(folder)
        del recorded["1"]["questions"], recorded["1"]["missing_word"]
        write_recorded(folder, recorded)
        assert issues_in(folder, models) == []
        version = load_lesson(folder, models).versions["1"]
        assert not version.asks(SLUG_1, "keeps_previous")
        assert version.missing_word == "first"
        add_step(folder)
        freeze(folder, models)
        after = read_recorded(folder)["1"]
        assert after["questions"] == {"one-more": "cached_numbers"}
        assert "missing_word" not in after

    def test_a_new_version_lets_the_longest_word_ask(self, folder, models):
        assert load_lesson(folder, models).snapshot(models).missing_word == "longest"


class TestAMissingStep:
    @pytest.mark.parametrize("version", ["1", "2"])
    def test_is_an_issue_of_every_version_that_recorded_it(self, folder, models, version):
        remove_step(folder, STEP_2)
        line = edit_step(folder, "lesson.toml", 'version = "1"', f'version = "{version}"')
        freeze(folder, models)
        (issue,) = (each for each in issues_in(folder, models) if "glossary" not in each)
        assert issue.startswith(f"{folder / SLUG / 'lesson.toml'}:{line}: ")
        assert f"links of version 1 lead to missing steps: {SLUG_2}." in issue

    def test_is_what_a_renamed_step_leaves_behind(self, folder, models):
        rename_step(folder, STEP_2, "02-common-keys")
        for _ in range(2):
            (issue,) = issues_in(folder, models)
            assert f"links of version 1 lead to missing steps: {SLUG_2}." in issue
            freeze(folder, models)
        assert set(read_recorded(folder)["1"]["steps"]) == {SLUG_1, SLUG_2, "common-keys"}

    def test_is_not_what_a_step_with_an_issue_is(self, folder, models):
        edit_step(folder, f"{STEP_2}.toml", "layer = 1", "layer = -1")
        (issue,) = issues_in(folder, models)
        assert "defaults.layer" in issue


class TestChangedValues:
    @pytest.mark.parametrize("is_frozen", [False, True])
    def test_new_defaults_without_a_new_version_are_an_issue(self, folder, models, is_frozen):
        change_defaults(folder)
        if is_frozen:
            freeze(folder, models)
        (issue,) = issues_in(folder, models)
        assert "links of version 1 would open something else" in issue
        assert f"{SLUG_2} changed. Name another version" in issue
        assert SLUG_1 not in issue

    def test_new_defaults_in_a_new_version_leave_the_old_one_as_it_was(self, folder, models):
        before = read_recorded(folder)
        change_defaults(folder)
        edit_step(folder, "lesson.toml", 'version = "1"', 'version = "2"')
        (issue,) = issues_in(folder, models)
        assert "version 2 is not in releases.json yet" in issue
        lesson = load_lesson(folder, models)
        assert lesson.version_for_link(lesson.step("2"), None) is None
        freeze(folder, models)
        assert issues_in(folder, models) == []
        after = read_recorded(folder)
        assert after["2"]["steps"][SLUG_2]["text"] == "Snow fell"
        assert after["1"] == before["1"]

    def test_a_broken_step_hides_no_change_of_another(self, folder, models):
        change_defaults(folder)
        edit_step(folder, f"{STEP_1}.toml", "layer = 0", "layer = -1")
        issues = "\n".join(issues_in(folder, models))
        assert f"{SLUG_2} changed" in issues

    def test_new_weights_are_an_issue_and_an_added_model_is_none(self, folder, models):
        recorded = read_recorded(folder)
        del recorded["1"]["models"]["headwise-h8"]
        write_recorded(folder, recorded)
        assert issues_in(folder, models) == []
        recorded["1"]["models"]["headwise-h4"] = "0" * 64
        write_recorded(folder, recorded)
        freeze(folder, models)
        (issue,) = issues_in(folder, models)
        assert ": headwise-h4 changed" in issue
        after = read_recorded(folder)["1"]["models"]
        assert after["headwise-h4"] == "0" * 64
        assert after["headwise-h8"] == models["headwise-h8"].weights_sha256

    def test_a_removed_model_is_an_issue(self, folder, models):
        recorded = read_recorded(folder)
        recorded["1"]["models"]["headwise-h3"] = "0" * 64
        write_recorded(folder, recorded)
        (issue,) = issues_in(folder, models)
        assert ": headwise-h3 changed" in issue


def test_freezing_twice_changes_nothing(folder, models):
    file = folder / SLUG / "releases.json"
    before = file.read_bytes()
    freeze(folder, models)
    assert file.read_bytes() == before


def test_every_lesson_has_versions_of_its_own(folder, models):
    add_lesson(folder)
    add_step(folder)
    edit_step(folder, "lesson.toml", 'version = "1"', 'version = "2"')
    freeze(folder, models)
    assert issues_in(folder, models) == []
    assert set(read_recorded(folder)) == {"1", "2"}
    assert set(read_recorded(folder, "another-lesson")) == {"1"}
    remove_step(folder, STEP_1)
    issues = issues_in(folder, models)
    assert any("links of version 2 lead to missing steps" in issue for issue in issues)
    assert not any("another-lesson" in issue for issue in issues)


def test_a_lesson_without_a_version_records_nothing(folder, models):
    edit_step(folder, "lesson.toml", 'version = "1"\n', "")
    file = folder / SLUG / "releases.json"
    file.unlink()
    freeze(folder, models)
    assert not file.exists()
    assert issues_in(folder, models) == []
    lesson = load_lesson(folder, models)
    assert lesson.version_for_link(lesson.steps[0], None) is None
    assert lesson.unrecorded_steps == []


def test_a_lesson_that_gives_up_its_version_keeps_the_recorded_ones(folder, models):
    edit_step(folder, "lesson.toml", 'version = "1"\n', "")
    lesson = load_lesson(folder, models)
    assert lesson.version_for_link(lesson.steps[0], "1") == "1"
    assert lesson.version_for_link(lesson.steps[0], None) is None


def test_an_invalid_file_is_an_issue_and_freezing_leaves_it_alone(folder, models):
    file = folder / SLUG / "releases.json"
    file.write_text("{", encoding="utf-8")
    freeze(folder, models)
    assert file.read_text(encoding="utf-8") == "{"
    (issue,) = issues_in(folder, models)
    assert issue.startswith(f"{file}:1: cannot be read: Invalid JSON")
