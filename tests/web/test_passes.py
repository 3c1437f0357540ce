"""What was computed for one answer serves the others."""

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.models import registry
from app.settings import Settings

VIEW = "/multi-head-attention/concatenate-then-mix?text=Birds+sing+at+dawn&layer=1&head=2&v=1"
PLACE, _, QUERY = VIEW.partition("?")
OTHERS = (
    f"/api/v1/labs{VIEW}",
    f"{PLACE}/export/view.json?{QUERY}",
    f"{PLACE}/export/map.svg?{QUERY}",
    f"{PLACE}/export/reproduce.zip?{QUERY}",
    f"{PLACE}/numbers?{QUERY}",
    f"{PLACE}/handout?{QUERY}",
    "/api/v1/attention?text=Birds+sing+at+dawn&model=headwise-h4&layer=1",
)


@pytest.fixture
def asked(monkeypatch):
    """The passes that are computed, in order."""
    passes = []

    def forward(model, ids, **how):
        passes.append((id(model), tuple(ids), how["intervention"]))
        return real(model, ids, **how)

    real = registry.forward
    monkeypatch.setattr(registry, "forward", forward)
    return passes


def client(megabytes):
    return TestClient(create_app(Settings(cache_megabytes=megabytes)))


def test_page_api_and_files_share_the_passes_of_a_view(asked):
    served = client(16)
    served.get(VIEW)
    of_the_page = len(asked)
    assert of_the_page
    for address in OTHERS:
        assert served.get(address).status_code == 200
    assert len(asked) == of_the_page


def test_another_intervention_is_another_pass(asked):
    served = client(16)
    served.get(VIEW)
    of_the_page = len(asked)
    served.get(f"{VIEW}&off=0.1")
    assert len(asked) > of_the_page


def test_no_pass_is_kept_where_nothing_may_be(asked):
    served = client(0)
    served.get(VIEW)
    of_the_page = len(asked)
    served.get(OTHERS[0])
    assert len(asked) > of_the_page
