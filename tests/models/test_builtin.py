import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from app.evaluation.ablation import token_losses
from app.models.builtin import (
    BUILTIN_FOLDER,
    BrokenModelError,
    card_file,
    lazy_transformer,
    read_card,
    tokenizer_file,
    weights_file,
)
from training.measure import targets_from_batch
from training.sample import sample_batches


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(BUILTIN_FOLDER / "headwise-h1", tmp_path / "headwise-h1")
    return tmp_path / "headwise-h1"


def test_weights_are_widened_to_float32(folder):
    transformer = lazy_transformer(folder, read_card(folder))()
    assert transformer.layers[0].attention.qkv.dtype == np.float32
    assert transformer.layers[0].attention.qkv.flags.c_contiguous


def test_a_truncated_file_is_refused_with_its_name(folder):
    file = weights_file(folder.parent, folder.name)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(BrokenModelError, match=r"weights\.safetensors cannot be read"):
        lazy_transformer(folder, read_card(folder))


def test_a_tensor_of_another_shape_is_refused_by_name(folder):
    file = weights_file(folder.parent, folder.name)
    tensors = load_file(file)
    tensors["positions"] = tensors["positions"][:-1]
    del tensors["norm.gain"]
    save_file(tensors, file)
    with pytest.raises(BrokenModelError, match=r"do not fit the card: norm\.gain, positions"):
        lazy_transformer(folder, read_card(folder))


def test_a_card_with_a_missing_figure_is_refused(folder):
    file = card_file(folder.parent, folder.name)
    card = json.loads(file.read_text())
    del card["n_heads"]
    file.write_text(json.dumps(card))
    with pytest.raises(BrokenModelError, match="n_heads"):
        read_card(folder)


@pytest.mark.parametrize("n_heads", [1, 2, 4, 8])
def test_the_shipped_weights_have_the_loss_in_the_card(models, n_heads):
    """On the sample of Headwise's own; torch computed the card's figure, NumPy this one."""
    model = models[f"headwise-h{n_heads}"]
    batches = sample_batches(Tokenizer.from_file(str(tokenizer_file(BUILTIN_FOLDER))))
    targets = [target for batch in batches for target in targets_from_batch(batch)]
    assert len(targets) == 30
    losses = token_losses(model.transformer, targets)
    assert losses.mean() == pytest.approx(model.card.training.sample_loss, abs=0.001)


def test_weights_are_loaded_lazily_and_once(folder):
    load_transformer = lazy_transformer(folder, read_card(folder))
    transformer = load_transformer()
    weights_file(folder.parent, folder.name).unlink()
    assert load_transformer() is transformer
