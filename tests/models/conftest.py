"""Tiny checkpoints of `tests/models/checkpoints/tiny_checkpoints.py`, made once per session."""

from functools import cache

import pytest

from app.models.checkpoints import read_checkpoint
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint
from tests.models.checkpoints.transformers_reference import load_reference


@pytest.fixture(scope="session")
def checkpoint_folder(tmp_path_factory):
    """Return the folder of a tiny checkpoint of a kind; tests must not change it."""
    root = tmp_path_factory.mktemp("checkpoints")
    return cache(lambda kind: save_checkpoint(kind, root / kind))


@pytest.fixture(scope="session")
def headwise_model(checkpoint_folder):
    """Return a tiny checkpoint of a kind as Headwise loads it."""
    return cache(lambda kind: read_checkpoint(checkpoint_folder(kind)))


@pytest.fixture(scope="session")
def transformers_model(checkpoint_folder):
    """Return the same checkpoint as transformers loads it; tests must not change it."""
    return cache(lambda kind: load_reference(checkpoint_folder(kind), kind))
