"""What was computed for one answer serves the others."""

import pytest
from starlette.testclient import TestClient

from app.application import create_app
from app.lesson import LABS
from app.models import model as model_module
from app.settings import Settings
from tests.shipped import LESSONS

STEPS = {f"/{lesson.slug}/{step.slug}": step.config for lesson in LESSONS for step in lesson.steps}
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

    real = model_module.forward
    monkeypatch.setattr(model_module, "forward", forward)
    return passes


@pytest.fixture(scope="module")
def client_without_cache():
    return make_client(0)


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


def test_another_model_is_another_pass(client_without_cache):
    client_with_cache = make_client(16)
    url = "/api/v1/attention?text=Birds+sing+at+dawn&layer=1"
    urls = [f"{url}&model={model}" for model in ("headwise-h2", "headwise-h2-random")]
    answers = [client_with_cache.get(url).json()["weights"] for url in urls]
    assert answers == [client_without_cache.get(url).json()["weights"] for url in urls]
    assert answers[0] != answers[1]


def test_without_a_cache_no_pass_is_reused(computed_passes):
    client_with_cache = make_client(0)
    client_with_cache.get(VIEW_URL)
    n_for_page = len(computed_passes)
    client_with_cache.get(OTHER_URLS[0])
    assert len(computed_passes) > n_for_page


VIEWS = [
    {},
    {"text": "Birds sing at dawn", "model": "headwise-h8", "layer": "1", "cell": "0.1"},
    {"minus": "headwise-h8.1", "off": "0.1", "causal": "1", "groups": "2", "unscaled": "1"},
    {"shuffled": "1", "weighted": "1", "minus": "headwise-h4.0"},
]
CHECKPOINT_VIEWS = [
    {"model": "gpt2", "text": "The cat sat", "word": "1", "minus": "gpt2.1"},
    {"model": "gpt2", "text": "The cat sat", "off": "0.1"},
    {"model": "bert", "text": "The [MASK] sat", "word": "2", "layer": "1"},
    {"model": "bert", "text": "The [MASK] sat", "word": "2", "off": "0.1", "hide": "1"},
]
PARTS = [{}, {"HX-Request": "true", "HX-Request-Type": "partial"}]


def check_passes(client, computed_passes, step, query, headers):
    """Ask for a view, and for the same with all layers, and count the passes of each request."""
    for more in ({}, {"show": LABS[STEPS[step].lab.name].layouts[-1]}):
        computed_passes.clear()
        response = client.get(step, params=query | more, headers=headers)
        assert response.status_code == 200
        assert computed_passes
        assert len(computed_passes) == len(set(computed_passes))


@pytest.mark.parametrize("headers", PARTS, ids=["page", "fragment"])
@pytest.mark.parametrize("query", VIEWS, ids="-".join)
@pytest.mark.parametrize("step", STEPS)
def test_no_pass_is_computed_twice_in_a_request(
    client_without_cache, computed_passes, step, query, headers
):
    check_passes(client_without_cache, computed_passes, step, query, headers)


@pytest.mark.parametrize("step", STEPS)
def test_an_answered_prediction_shares_the_passes_of_the_lab(
    client_without_cache, computed_passes, step
):
    query = {"predict": STEPS[step].predict.declared}
    check_passes(client_without_cache, computed_passes, step, query, {})


@pytest.mark.parametrize("query", CHECKPOINT_VIEWS, ids="-".join)
@pytest.mark.parametrize("step", STEPS)
def test_no_pass_of_a_checkpoint_is_computed_twice_in_a_request(
    checkpoint_client, computed_passes, step, query
):
    check_passes(checkpoint_client, computed_passes, step, query, {})
