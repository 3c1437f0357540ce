import pytest

from app.models.atomic import atomic_write


def test_a_file_is_replaced_only_when_completely_written(tmp_path):
    file = tmp_path / "heads.json"
    file.write_text("old")
    with atomic_write(file) as partial:
        partial.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new"
    assert [*tmp_path.iterdir()] == [file]


def test_an_interrupted_write_leaves_the_old_file_and_no_partial_one(tmp_path):
    file = tmp_path / "heads.json"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_write(file) as partial:
        partial.write_text("ne")
        raise KeyboardInterrupt
    assert file.read_text() == "old"
    assert [*tmp_path.iterdir()] == [file]
