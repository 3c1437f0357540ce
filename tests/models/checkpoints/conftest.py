import shutil

import pytest


@pytest.fixture
def copy_checkpoint(checkpoint_folder, tmp_path):
    """Return the folder of a copy of a tiny checkpoint of a kind, which may be changed."""
    return lambda kind: shutil.copytree(checkpoint_folder(kind), tmp_path / kind)
