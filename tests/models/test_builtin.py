import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from app.evaluation.ablation import token_losses
from app.models import load_builtin_models
from app.models.builtin import (
    BUILTIN_FOLDER,
    BrokenModelError,
    card_file,
    read_card,
    read_weights,
    tokenizer_file,
    weights_file,
)
from training.measure import targets_from_batch
from training.sample import sample_batches


@pytest.fixture
def root(tmp_path):
    """A folder with a copy of one shipped model, which may be changed."""
    shutil.copy(tokenizer_file(BUILTIN_FOLDER), tmp_path)
    shutil.copytree(BUILTIN_FOLDER / "headwise-h2", tmp_path / "headwise-h2")
    return tmp_path


def change_tensors(root, change):
    file = weights_file(root, "headwise-h2")
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file)


def change_card(root, **changes):
    file = card_file(root, "headwise-h2")
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def check_broken(root, reason):
    with pytest.raises(BrokenModelError, match=reason) as caught:
        load_builtin_models(root)
    assert str(caught.value).startswith(f"{root / 'headwise-h2'}: ")


def test_a_shipped_model_is_loaded_with_an_untrained_copy(root):
    models = load_builtin_models(root)
    assert models.ids == ["headwise-h2", "headwise-h2-random"]
    trained, untrained = models
    assert trained.folder == untrained.folder == root / "headwise-h2"
    assert trained.weights_sha256 == untrained.weights_sha256
    assert untrained.card.random_seed == 0


def test_weights_are_widened_to_float32_and_nothing_else(root):
    stored = load_file(weights_file(root, "headwise-h2"))
    transformer = read_weights(root / "headwise-h2", read_card(root / "headwise-h2"))
    for array, name in {
        "token_embedding": "tokens",
        "position_embedding": "positions",
    }.items():
        actual = getattr(transformer, array)
        assert actual.dtype == np.float32
        assert np.array_equal(actual, stored[name])
    for index, layer in enumerate(transformer.layers):
        assert layer.attention.qkv.dtype == np.float32
        assert layer.attention.qkv.flags.c_contiguous
        assert np.array_equal(layer.attention.qkv, stored[f"layers.{index}.attention.qkv.weight"])


def test_incomplete_weights_are_refused(root):
    file = weights_file(root, "headwise-h2")
    file.write_bytes(file.read_bytes()[:1000])
    check_broken(root, r"weights\.safetensors is damaged or incomplete")


def test_missing_weights_are_refused(root):
    weights_file(root, "headwise-h2").unlink()
    check_broken(root, r"weights\.safetensors is damaged or incomplete: No such file")


@pytest.mark.parametrize(
    "name",
    ["tokens", "positions", "norm.gain", "norm.bias", "logits_bias", "layers.1.ffn_norm.gain"],
)
def test_a_missing_tensor_is_refused_by_name(root, name):
    change_tensors(root, lambda tensors: tensors.pop(name))
    check_broken(root, f"the weights have no tensor {name}")


@pytest.mark.parametrize(
    "name", ["tokens", "positions", "logits_bias", "layers.0.attention.qkv.weight"]
)
def test_a_tensor_of_another_shape_is_refused_by_name(root, name):
    change_tensors(root, lambda tensors: tensors.update({name: tensors[name][:-1]}))
    check_broken(root, rf"{name} has shape \(.*\), but the configuration requires \(")


@pytest.mark.parametrize("name", ["pooler", "layers.0.attention.gate", "layers.2.ffn_norm.gain"])
def test_a_tensor_that_the_card_does_not_describe_is_refused_by_name(root, name):
    change_tensors(root, lambda tensors: tensors.update({name: np.zeros(3, np.float16)}))
    check_broken(root, f"a tensor {name}, which .* does not describe")


def test_a_weight_that_is_not_a_number_is_refused(root):
    def insert_nan(tensors):
        tensors["layers.0.ffn_hidden.weight"][0, 0] = np.nan

    change_tensors(root, insert_nan)
    check_broken(root, r"layers\.0\.ffn_hidden\.weight contains infinity or NaN")


def test_a_card_with_a_missing_value_is_refused(root):
    file = card_file(root, "headwise-h2")
    card = json.loads(file.read_text())
    del card["n_heads"]
    file.write_text(json.dumps(card))
    check_broken(root, r"card\.json cannot be read: (.|\n)*n_heads")


@pytest.mark.parametrize("changes", [{"n_heads": 0}, {"n_heads": 3}, {"vocabulary": -1}], ids=str)
def test_a_card_with_an_impossible_size_is_refused(root, changes):
    change_card(root, **changes)
    check_broken(root, "its weights cannot be loaded: ")


def test_a_card_of_another_model_is_refused(root):
    shutil.copy(card_file(BUILTIN_FOLDER, "headwise-h8"), root / "headwise-h2")
    check_broken(root, r"card\.json describes headwise-h8")


@pytest.mark.parametrize("n_heads", [1, 2, 4, 8])
def test_the_shipped_weights_have_the_loss_in_the_card(models, n_heads):
    """On the sample of Headwise's own; torch computed the card's figure, NumPy this one."""
    model = models[f"headwise-h{n_heads}"]
    batches = sample_batches(Tokenizer.from_file(str(tokenizer_file(BUILTIN_FOLDER))))
    targets = [target for batch in batches for target in targets_from_batch(batch)]
    assert len(targets) == 30
    losses = token_losses(model.transformer, targets)
    assert losses.mean() == pytest.approx(model.card.training.sample_loss, abs=0.001)
