import shutil

import pytest


@pytest.fixture
def copy_checkpoint(checkpoint_folder, tmp_path):
    """A copy of a tiny checkpoint, by its kind, that may be changed."""
    return lambda kind: shutil.copytree(checkpoint_folder(kind), tmp_path / kind)
