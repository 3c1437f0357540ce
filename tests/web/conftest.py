"""A server with tiny checkpoints beside its own models."""

import pytest
from starlette.testclient import TestClient

from app.application import build_registry, create_app
from app.settings import Settings
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint

CHECKPOINT_KINDS = ("bert", "bert-base", "roberta", "distilbert", "gpt2", "llama", "qwen2")


@pytest.fixture(scope="session")
def checkpoint_settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    for kind in CHECKPOINT_KINDS:
        save_checkpoint(kind, folder / kind)
    # A small sibling, of other depth and reach but of the same tokens.
    save_checkpoint("bert", folder / "bert-short", num_hidden_layers=1, max_position_embeddings=9)
    # Numbers that the server keeps of one test are not those that the next one asks for.
    return Settings(checkpoints=(folder,), cache_megabytes=0, api_per_minute=100_000)


@pytest.fixture(scope="session")
def checkpoint_models(checkpoint_settings):
    return build_registry(checkpoint_settings)


@pytest.fixture(scope="session")
def checkpoint_client(checkpoint_settings):
    app = create_app(checkpoint_settings)
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)
