import csv
import io
import json

import numpy as np
import pytest

from app.exports.csv_json_npz import escape_formula, to_csv, to_json, to_npz, view_arrays
from app.models.checkpoints import read_checkpoint
from tests.exports.lab_states import make_lab_state
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint


def test_the_table_holds_every_weight_of_the_head(models):
    state = make_lab_state(models)
    (corner, *keys), *rows = csv.reader(io.StringIO(to_csv(state)))
    assert corner == "query \\ key"
    assert keys == [row[0] for row in rows] == list(state.axis.labels)
    weights = np.array([[float(cell) for cell in row[1:]] for row in rows], np.float32)
    assert np.array_equal(weights, state.maps[1])


@pytest.mark.parametrize("text", ["=1+2", "@sum", "-cat", "+cat"])
def test_no_cell_of_the_table_is_a_formula(models, text):
    for row in csv.reader(io.StringIO(to_csv(make_lab_state(models, text=text)))):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)


@pytest.mark.parametrize("label", ["=1+2", "+1", "-1", "@sum", "\t=1", "\r=1"])
def test_a_label_that_a_spreadsheet_would_run_is_quoted(label):
    assert escape_formula(label) == f"'{label}"


@pytest.mark.parametrize("label", ["cat", "a=b", "'=1"])
def test_any_other_label_stays_as_it_is(label):
    assert escape_formula(label) == label


def test_the_json_file_has_every_intermediate(models):
    state = make_lab_state(models, weighted=True)
    exported = json.loads(to_json(state))
    assert (exported["text"], exported["layer"], exported["head"]) == (state.sentence.text, 1, 1)
    weights = np.array(exported["weights"])
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(
        np.array(exported["q"]) @ np.array(exported["k"]).T, exported["scores"], atol=1e-4
    )
    assert np.allclose(np.array(exported["scores"]) / np.sqrt(32), exported["scaled"], atol=1e-5)
    assert np.allclose(exported["weighted_by_length"], state.maps[1])
    trace = state.trace
    assert np.allclose(exported["v"], trace.V[1])
    assert np.allclose(
        weights @ np.array(exported["v"]) @ trace.W.output[32:64],
        exported["contribution"],
        atol=1e-4,
    )


def test_the_json_file_leaves_out_hidden_special_tokens(models, tmp_path):
    model = read_checkpoint(save_checkpoint("bert", tmp_path / "bert"))
    state = make_lab_state(models.with_checkpoints([model]), "bert", hide_special_tokens=True)
    exported = json.loads(to_json(state))
    n = len(exported["labels"])
    assert 0 < n == len(state.sentence.tokens) - 2
    for name in ("weights", "scores", "scaled", "map"):
        assert np.shape(exported[name]) == (n, n)
    for name in ("q", "k", "v", "contribution"):
        assert len(exported[name]) == n
    assert np.allclose(np.sum(exported["map"], axis=1), 1, atol=1e-5)
    assert np.all(np.sum(exported["weights"], axis=1) < 1)


def test_arrays_need_no_pickle_and_are_the_same_file_every_time(models):
    state = make_lab_state(models)
    content = to_npz(state)
    assert content == to_npz(make_lab_state(models))
    loaded = np.load(io.BytesIO(content), allow_pickle=False)
    assert set(loaded) == set(view_arrays(state))
    assert np.array_equal(loaded["maps"], state.maps)


def test_an_archive_of_a_checkpoint_holds_one_layer_and_no_more(models, tmp_path):
    model = read_checkpoint(save_checkpoint("llama", tmp_path / "llama"))
    archive_arrays = view_arrays(make_lab_state(models.with_checkpoints([model]), "llama"))
    layers = [name for name in archive_arrays if name.startswith("layers.")]
    names = ("qkv", "qkv_bias", "output", "output_bias")
    assert layers == [f"layers.1.{name}" for name in names]
    assert "tokens" not in archive_arrays


def test_weights_too_large_for_a_file_are_refused_with_alternatives(models, tmp_path, monkeypatch):
    monkeypatch.setattr("app.exports.csv_json_npz.MAX_LAYER_BYTES", 1000)
    registry = models.with_checkpoints(
        [read_checkpoint(save_checkpoint("gpt2", tmp_path / "gpt2"))]
    )
    with pytest.raises(ValueError, match=r"A file holds at most 0 MB\. Choose SVG, CSV or JSON"):
        to_npz(make_lab_state(registry, "gpt2"))
