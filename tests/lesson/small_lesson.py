"""A lesson of two steps that has everything a lesson can have, for tests of the engine."""

import json
import shutil
from pathlib import Path

SMALL_LESSONS = Path(__file__).parent / "fixtures" / "lessons"
"""A folder of lessons with the small lesson alone."""

SLUG = "small-lesson"
STEP_1, STEP_2 = "01-heads-and-words", "02-shared-keys"
SLUG_1, SLUG_2 = STEP_1[3:], STEP_2[3:]


def copy_lessons(target: Path) -> Path:
    """Copy the folder of lessons to a new folder `target`."""
    return Path(shutil.copytree(SMALL_LESSONS, target))


def edit(file: Path, old: str, new: str) -> int:
    """Replace `old`, once, by `new`. Return the line of the change, counted from 1."""
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{file.name} has no {old}"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def edit_step(folder: Path, name: str, old: str, new: str) -> int:
    """As `edit`, in a file of the small lesson inside the folder of lessons."""
    return edit(folder / SLUG / name, old, new)


def rename_step(folder: Path, old: str, new: str) -> None:
    for file in (folder / SLUG).glob(f"{old}.*"):
        file.rename(file.with_name(f"{new}{file.suffix}"))


def remove_step(folder: Path, name: str) -> None:
    for file in (folder / SLUG).glob(f"{name}.*"):
        file.unlink()


def add_step(folder: Path, name: str = "03-one-more") -> None:
    """Add a correct third step: a copy of the second with another title."""
    lesson = folder / SLUG
    for suffix in (".md", ".toml"):
        shutil.copy(lesson / f"{STEP_2}{suffix}", lesson / f"{name}{suffix}")
    edit(lesson / f"{name}.toml", "Shared keys", "One more")


def add_lesson(folder: Path, slug: str = "another-lesson") -> None:
    """Add a second lesson, which has steps of the same names."""
    shutil.copytree(folder / SLUG, folder / slug)
    edit(folder / slug / "lesson.toml", "A small lesson", "Another lesson")


def read_recorded(folder: Path, slug: str = SLUG) -> dict:
    return json.loads((folder / slug / "releases.json").read_text(encoding="utf-8"))


def write_recorded(folder: Path, versions: dict) -> None:
    (folder / SLUG / "releases.json").write_text(json.dumps(versions), encoding="utf-8")
