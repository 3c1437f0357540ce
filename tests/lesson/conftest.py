import pytest

from tests.lesson.small_lesson import copy_lessons


@pytest.fixture
def folder(tmp_path):
    """A folder of lessons with a copy of the small lesson, to change."""
    return copy_lessons(tmp_path / "lessons")
