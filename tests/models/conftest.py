"""Tiny checkpoints of `tests/models/checkpoints/tiny_checkpoints.py`, each made once a session."""

from functools import cache

import pytest

from app.models.checkpoints import read_checkpoint
from tests.models.checkpoints import tiny_checkpoints as tiny
from tests.models.checkpoints import transformers_reference as theirs


@pytest.fixture(scope="session")
def checkpoint_folder(tmp_path_factory):
    """The folder of a tiny checkpoint by its kind; not to be written into."""
    root = tmp_path_factory.mktemp("checkpoints")
    return cache(lambda kind: tiny.save_checkpoint(kind, root / kind))


@pytest.fixture(scope="session")
def headwise_model(checkpoint_folder):
    """A tiny checkpoint, by its kind, as Headwise reads it."""
    return cache(lambda kind: read_checkpoint(checkpoint_folder(kind)))


@pytest.fixture(scope="session")
def transformers_model(checkpoint_folder):
    """The same as transformers reads it; not to be changed."""
    return cache(lambda kind: theirs.load_reference(checkpoint_folder(kind), kind))
