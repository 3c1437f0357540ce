import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from app.models.family import (
    FAMILY,
    BrokenModelError,
    card_file,
    read_card,
    read_transformer,
    weights_file,
)


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(FAMILY / "headwise-h1", tmp_path / "headwise-h1")
    return tmp_path / "headwise-h1"


def test_weights_are_widened_to_float32(folder):
    transformer = read_transformer(folder, read_card(folder))
    assert transformer.layers[0].attention.qkv.dtype == np.float32
    assert transformer.layers[0].attention.qkv.flags.c_contiguous


def test_a_truncated_file_is_refused_with_its_name(folder):
    file = weights_file(folder.parent, folder.name)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(BrokenModelError, match=r"weights\.safetensors cannot be read"):
        read_transformer(folder, read_card(folder))


def test_a_tensor_of_another_shape_is_refused_by_name(folder):
    file = weights_file(folder.parent, folder.name)
    tensors = load_file(file)
    tensors["positions"] = tensors["positions"][:-1]
    del tensors["norm.gain"]
    save_file(tensors, file)
    with pytest.raises(BrokenModelError, match=r"do not fit the card: norm\.gain, positions"):
        read_transformer(folder, read_card(folder))


def test_a_card_with_a_missing_figure_is_refused(folder):
    file = card_file(folder.parent, folder.name)
    card = json.loads(file.read_text())
    del card["n_heads"]
    file.write_text(json.dumps(card))
    with pytest.raises(BrokenModelError, match="n_heads"):
        read_card(folder)
