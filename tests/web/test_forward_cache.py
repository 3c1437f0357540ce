"""What was computed for one answer serves the others."""

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.models import registry
from app.settings import Settings

VIEW_URL = "/multi-head-attention/concatenate-then-mix?text=Birds+sing+at+dawn&layer=1&head=2&v=1"
STEP_PATH, _, QUERY = VIEW_URL.partition("?")
OTHER_URLS = (
    f"/api/v1/labs{VIEW_URL}",
    f"{STEP_PATH}/export/view.json?{QUERY}",
    f"{STEP_PATH}/export/map.svg?{QUERY}",
    f"{STEP_PATH}/export/reproduce.zip?{QUERY}",
    f"{STEP_PATH}/numbers?{QUERY}",
    f"{STEP_PATH}/handout?{QUERY}",
    "/api/v1/attention?text=Birds+sing+at+dawn&model=headwise-h4&layer=1",
)


@pytest.fixture
def computed_passes(monkeypatch):
    """The passes that are computed, in order."""
    passes = []

    def forward(model, ids, **how):
        passes.append((id(model), tuple(ids), how["intervention"]))
        return real(model, ids, **how)

    real = registry.forward
    monkeypatch.setattr(registry, "forward", forward)
    return passes


def make_client(megabytes):
    return TestClient(create_app(Settings(cache_megabytes=megabytes)))


def test_page_api_and_files_share_the_passes_of_a_view(computed_passes):
    client_with_cache = make_client(16)
    client_with_cache.get(VIEW_URL)
    n_for_page = len(computed_passes)
    assert n_for_page
    for address in OTHER_URLS:
        assert client_with_cache.get(address).status_code == 200
    assert len(computed_passes) == n_for_page


def test_another_intervention_is_another_pass(computed_passes):
    client_with_cache = make_client(16)
    client_with_cache.get(VIEW_URL)
    n_for_page = len(computed_passes)
    client_with_cache.get(f"{VIEW_URL}&off=0.1")
    assert len(computed_passes) > n_for_page


def test_without_a_cache_no_pass_is_reused(computed_passes):
    client_with_cache = make_client(0)
    client_with_cache.get(VIEW_URL)
    n_for_page = len(computed_passes)
    client_with_cache.get(OTHER_URLS[0])
    assert len(computed_passes) > n_for_page
