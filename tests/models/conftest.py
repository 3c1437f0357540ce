"""Tiny checkpoints, as `tests/models/checkpoints/tiny.py` makes them, each once a session."""

from functools import cache

import pytest

from app.models.checkpoints import read_checkpoint
from tests.models.checkpoints import theirs, tiny


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """The folder of a tiny checkpoint by its kind; not to be written into."""
    root = tmp_path_factory.mktemp("checkpoints")
    return cache(lambda kind: tiny.save(kind, root / kind))


@pytest.fixture(scope="session")
def our_model(checkpoint):
    """A tiny checkpoint, by its kind, as Headwise reads it."""
    return cache(lambda kind: read_checkpoint(checkpoint(kind)))


@pytest.fixture(scope="session")
def their_model(checkpoint):
    """The same as transformers reads it; not to be changed."""
    return cache(lambda kind: theirs.loaded(checkpoint(kind), kind))
