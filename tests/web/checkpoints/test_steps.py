"""Every step, its links and its errors with the checkpoints of every family."""

import logging

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from starlette.testclient import TestClient

from app.application import create_app
from app.settings import Settings
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint
from tests.web.checkpoints.requests import (
    CAUSAL_KINDS,
    ENCODER_KINDS,
    STEP_WITH_LAB,
    TEXT,
    drawn_maps,
    lab_json,
    open_step,
    step_path,
)
from tests.web.conftest import CHECKPOINT_KINDS
from tests.web.requests import HTMX, RESTORE


@pytest.mark.parametrize("headers", [{}, HTMX, RESTORE], ids=["page", "fragment", "restore"])
@pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
@pytest.mark.parametrize("lab", STEP_WITH_LAB)
def test_every_step_works_for_every_family(checkpoint_client, lab, kind, headers):
    view = {"model": kind, "layer": 1, "head": 1, "reveal": 1}
    page = open_step(checkpoint_client, lab, headers=headers, **view)
    assert page.has("html") == (headers is not HTMX)
    assert len(drawn_maps(page)) >= 1
    assert f"{kind} · checkpoint · layer 1" in page.text
    ids = [each["id"] for each in page.find_all("[id]")]
    assert sorted(set(ids)) == sorted(ids)
    assert ">None<" not in page.source


@pytest.mark.parametrize("kind", CAUSAL_KINDS)
@pytest.mark.parametrize("lab", STEP_WITH_LAB)
def test_causal_models_are_causal_in_every_lab(checkpoint_client, lab, kind):
    for layer in range(2):
        weights = np.array(lab_json(checkpoint_client, lab, model=kind, layer=layer)["weights"])
        assert np.all(np.triu(weights, k=1) == 0)
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", ENCODER_KINDS)
def test_encoders_attend_in_both_directions(checkpoint_client, kind):
    weights = np.array(lab_json(checkpoint_client, "side-by-side", model=kind)["weights"])
    assert weights.shape[1] > 1
    assert np.all(weights > 0)


@pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
def test_the_lab_shows_the_weights_of_the_model(checkpoint_client, checkpoint_models, kind):
    model = checkpoint_models[kind]
    forward_pass = model.run(model.tokenizer.sentence(TEXT))
    assert len(forward_pass.weights) == model.card.n_layers
    for layer, weights in enumerate(forward_pass.weights):
        shown = lab_json(checkpoint_client, "side-by-side", model=kind, layer=layer)["weights"]
        np.testing.assert_allclose(shown, weights, atol=1e-6)


@pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
def test_a_link_opens_exactly_the_same_view(checkpoint_client, kind):
    query = {"model": kind, "layer": 1, "head": 1, "word": 1, "cell": "1.0", "open": "files"}
    first = open_step(checkpoint_client, "pipeline", **query)
    link = first.find("#share-link")["value"].removeprefix("http://testserver")
    second = checkpoint_client.get(link)
    assert second.text == first.source
    assert drawn_maps(first)


def test_a_bad_folder_is_logged_and_the_others_are_served(tmp_path, caplog):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text('{"model_type": "mamba"}')
    save_checkpoint("gpt2", tmp_path / "good")
    with caplog.at_level(logging.ERROR, "headwise"):
        settings = Settings(checkpoints=(tmp_path, tmp_path / "nowhere"))
        client = TestClient(create_app(settings), raise_server_exceptions=False)
    broken, nowhere = (record.getMessage() for record in caplog.records)
    assert broken.startswith("Left out: ")
    assert "broken: its model_type is 'mamba'; supported are bert" in broken
    assert nowhere.startswith("Left out: ")
    assert "nowhere" in nowhere
    assert client.get(step_path("side-by-side", model="good")).status_code == 200
    assert client.get(step_path("side-by-side", model="broken")).status_code == 422


def test_scores_that_overflow_are_reported_and_never_nan(tmp_path):
    file = save_checkpoint("bert-base", tmp_path / "huge") / "model.safetensors"
    tensors = load_file(file)
    for name in tensors:
        if "self.query.weight" in name or "self.key.weight" in name:
            tensors[name] *= 1e25
    save_file(tensors, file, metadata={"format": "pt"})
    client = TestClient(
        create_app(Settings(checkpoints=(tmp_path,))), raise_server_exceptions=False
    )
    with pytest.warns(RuntimeWarning):
        answer = client.get(step_path("side-by-side", model="huge"))
    assert answer.status_code == 422
    assert "their products overflow" in answer.text
    assert ">nan<" not in answer.text.lower()


def test_the_api_lists_checkpoints_with_their_sizes(checkpoint_client):
    cards = {each["id"]: each["card"] for each in checkpoint_client.get("/api/v1/models").json()}
    assert set(cards) > set(CHECKPOINT_KINDS)
    assert {cards[kind]["source"] for kind in CHECKPOINT_KINDS} == {"checkpoint"}
    assert (cards["llama"]["n_heads"], cards["llama"]["n_kv_heads"]) == (4, 2)
    assert {kind for kind in CHECKPOINT_KINDS if cards[kind]["causal"]} == set(CAUSAL_KINDS)
