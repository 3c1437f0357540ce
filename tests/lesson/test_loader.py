"""Lessons are loaded from their folders, and no mistake in one file affects another."""

import pytest

from app.lesson import load_lessons
from app.lesson.loader import RESERVED_SLUGS
from tests.lesson.small_lesson import (
    SLUG,
    SLUG_1,
    SLUG_2,
    STEP_1,
    STEP_2,
    add_lesson,
    add_step,
    edit_step,
    remove_step,
    rename_step,
)


def load_lesson(folder, models):
    (lesson,) = load_lessons(folder, models).lessons
    return lesson


def issues_in(folder, models):
    """The issues, with paths inside the folder of lessons."""
    issues = load_lessons(folder, models).issues
    return [str(issue).replace(f"{folder}/", "") for issue in issues]


def test_steps_are_in_the_order_of_their_numbers(folder, models):
    lesson = load_lesson(folder, models)
    assert [(step.number, step.slug) for step in lesson.steps] == [(1, SLUG_1), (2, SLUG_2)]
    assert [entry.title for entry in lesson.outline] == ["Heads and words", "Shared keys"]
    assert issues_in(folder, models) == []


def test_prose_is_split_at_the_lab(folder, models):
    step = load_lesson(folder, models).steps[0]
    assert [segment.kind for segment in step.before_lab] == [*["prose"] * 4, "predict"]
    assert [segment.kind for segment in step.after_lab] == ["prose", "shapes", "deeper", "check"]


def test_the_live_prose_of_a_step_is_found_wherever_it_is(folder, models):
    step = load_lesson(folder, models).steps[0]
    assert [segment.condition for segment in step.live_segments] == [None, "default", "own", None]
    assert [segment.id for segment in step.live_segments] == [f"live-{n}" for n in range(4)]
    assert step.kinds == {"prose", "predict", "shapes", "deeper", "check"}


def test_a_lesson_takes_as_long_as_its_steps(folder, models):
    lesson = load_lesson(folder, models)
    minutes = sum(step.reading_time.minutes for step in lesson.steps)
    assert abs(lesson.minutes - minutes) <= 0.25 * len(lesson.steps)


def test_a_step_is_found_by_slug_and_by_number(folder, models):
    lesson = load_lesson(folder, models)
    assert lesson.step("1") is lesson.step(SLUG_1) is lesson.steps[0]
    assert lesson.step("2") is lesson.step(SLUG_2) is lesson.steps[1]
    assert lesson.step("3") is lesson.step("0") is lesson.step("nowhere") is None


def test_each_step_is_followed_by_the_next(folder, models):
    add_step(folder)
    lesson = load_lesson(folder, models)
    first, second, third = lesson.steps
    assert lesson.after(first) is second
    assert lesson.after(second) is third
    assert lesson.after(third) is None


def test_several_lessons_are_loaded_in_the_order_of_their_slugs(folder, models):
    add_lesson(folder)
    library = load_lessons(folder, models)
    assert [lesson.slug for lesson in library.lessons] == ["another-lesson", SLUG]
    assert [len(lesson.steps) for lesson in library.lessons] == [2, 2]
    assert library.issues == ()


def test_a_planned_step_has_a_place_and_a_reason(folder, models):
    file = folder / SLUG / "lesson.toml"
    planned = '\n[[planned]]\nnumber = 3\ntitle = "Heads that never were"\n'
    file.write_text(file.read_text(encoding="utf-8") + planned, encoding="utf-8")
    entry = load_lesson(folder, models).outline[2]
    assert (entry.number, entry.title, entry.step) == (3, "Heads that never were", None)
    assert entry.why == "still to be written"
    assert issues_in(folder, models) == []


def test_a_broken_step_does_not_affect_the_others(folder, models):
    add_step(folder)
    add_step(folder, "04-the-last")
    edit_step(folder, f"{STEP_1}.toml", "layer = 0", "layer = -1")
    (folder / SLUG / "03-one-more.md").unlink()
    lesson = load_lesson(folder, models)
    assert [step.number for step in lesson.steps] == [2, 4]
    assert [entry.number for entry in lesson.outline] == [1, 2, 3, 4]
    assert [entry.why for entry in lesson.outline if not entry.step] == ["being repaired"] * 2
    assert len(issues_in(folder, models)) == 2
    assert lesson.after(lesson.step("2")) is lesson.step("4")


@pytest.mark.parametrize(
    ("suffix", "old", "new", "message"),
    [
        (".md", "$QK^\\top$", "$x^$", "this formula is not valid LaTeX: x^"),
        (".toml", "Softmax divides", "$x^$ divides", "this formula is not valid LaTeX: x^"),
        (".toml", 'beside = "headwise-h1"', 'beside = ["x"]', "lab.beside"),
        (".toml", "[predict.labels]", '[predict.labels]\nit = "It"', "no answer has the id it"),
        (".md", "has its own", "has \udcff", "is not UTF-8"),
    ],
)
def test_no_issue_of_a_step_affects_the_others(folder, models, suffix, old, new, message):
    file = folder / SLUG / f"{STEP_1}{suffix}"
    text = file.read_text(encoding="utf-8")
    assert old in text
    text = text.replace(old, new, 1)
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    library = load_lessons(folder, models)
    assert [step.slug for step in library.lessons[0].steps] == [SLUG_2]
    line = text[: text.index(new)].count("\n") + 1
    assert any(message in str(issue) and abs(issue.line - line) <= 1 for issue in library.issues)


def test_an_unexpected_error_in_a_step_does_not_affect_the_others(folder, models, monkeypatch):
    def fail(*_):
        raise IndexError

    monkeypatch.setattr("app.lesson.loader.check_declared_answer", fail)
    edit_step(folder, f"{STEP_2}.toml", "layer = 1", "layer = -1")
    issues = issues_in(folder, models)
    assert any(issue.startswith(f"{SLUG}/{STEP_1}.toml:1: cannot be loaded") for issue in issues)
    assert any("defaults.layer" in issue for issue in issues)


def test_an_issue_of_the_end_page_does_not_affect_the_steps(folder, models):
    edit_step(folder, "lesson.toml", "Every weight", "{nobody}")
    lesson = load_lesson(folder, models)
    assert lesson.config.end is None
    assert len(lesson.steps) == 2
    (issue,) = issues_in(folder, models)
    assert "unknown placeholder {nobody}" in issue


@pytest.mark.parametrize("content", ["title =", 'title = "No more than a title"', "\udcff"])
def test_a_lesson_without_a_valid_config_does_not_affect_another(folder, models, content):
    add_lesson(folder)
    file = folder / "another-lesson" / "lesson.toml"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert load_lesson(folder, models).slug == SLUG
    assert all(
        issue.startswith("another-lesson/lesson.toml:") for issue in issues_in(folder, models)
    )


@pytest.mark.parametrize("name", ["01-why.png", f"{STEP_1}.md~", "notes.txt"])
def test_a_stray_file_is_an_issue(folder, models, name):
    (folder / SLUG / name).write_text("x", encoding="utf-8")
    (issue,) = issues_in(folder, models)
    assert issue.startswith(f"{SLUG}/{name}:1: is neither")


def test_half_a_step_is_an_issue(folder, models):
    (folder / SLUG / "03-more.md").write_text("::lab\n", encoding="utf-8")
    assert issues_in(folder, models) == [
        f"{SLUG}/03-more.toml:1: is missing; a step has a .md and a .toml"
    ]


def test_a_step_without_a_number_is_an_issue(folder, models):
    rename_step(folder, STEP_2, SLUG_2)
    assert any("named like 03-some-title.md" in issue for issue in issues_in(folder, models))


def test_a_gap_in_the_numbers_is_an_issue(folder, models):
    rename_step(folder, STEP_2, f"04-{SLUG_2}")
    (issue,) = issues_in(folder, models)
    assert "steps are numbered [1, 4]" in issue


def test_a_folder_without_lessons_is_an_issue(tmp_path, models):
    for empty in (tmp_path, tmp_path / "nowhere"):
        (issue,) = load_lessons(empty, models).issues
        assert "there are no lessons here" in issue.message


def test_a_lesson_without_steps_is_an_issue(folder, models):
    remove_step(folder, STEP_1)
    remove_step(folder, STEP_2)
    assert load_lessons(folder, models).lessons == ()
    assert "has no steps" in "\n".join(issues_in(folder, models))


@pytest.mark.parametrize("name", RESERVED_SLUGS)
def test_a_lesson_cannot_take_an_address_of_the_site(folder, models, name):
    (folder / SLUG).rename(folder / name)
    library = load_lessons(folder, models)
    assert library.lessons == ()
    assert "a lesson cannot have a reserved name" in "\n".join(map(str, library.issues))


def test_a_step_cannot_take_the_address_of_the_end(folder, models):
    rename_step(folder, STEP_2, "02-end")
    assert [step.slug for step in load_lesson(folder, models).steps] == [SLUG_1]
    assert "a step cannot be named end" in "\n".join(issues_in(folder, models))
