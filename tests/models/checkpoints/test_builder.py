import re

import pytest
import torch

from app.models.checkpoints import read_checkpoint
from tests.models.checkpoints.damage import (
    change_config,
    change_tensors,
    check_refused,
)

WEIGHT_OF = {
    "bert": "bert.encoder.layer.1.attention.self.key.weight",
    "roberta": "roberta.encoder.layer.2.output.dense.bias",
    "distilbert": "distilbert.transformer.layer.0.ffn.lin1.weight",
    "gpt2": "transformer.h.1.attn.c_attn.weight",
    "llama": "model.layers.2.self_attn.v_proj.weight",
    "mistral": "model.layers.0.input_layernorm.weight",
    "qwen2": "model.layers.1.mlp.gate_proj.weight",
}


@pytest.mark.parametrize("kind", WEIGHT_OF)
def test_a_missing_tensor_is_refused_by_name(copy_checkpoint, kind):
    folder = change_tensors(copy_checkpoint(kind), lambda tensors: tensors.pop(WEIGHT_OF[kind]))
    check_refused(folder, f"the weights have no tensor {re.escape(WEIGHT_OF[kind])}")


@pytest.mark.parametrize("kind", WEIGHT_OF)
def test_a_tensor_of_another_shape_is_refused_by_name(copy_checkpoint, kind):
    name = WEIGHT_OF[kind]
    folder = change_tensors(
        copy_checkpoint(kind), lambda tensors: tensors.update({name: torch.ones(3, 2)})
    )
    check_refused(folder, rf"{re.escape(name)} has shape \(3, 2\), but the configuration requires")


@pytest.mark.parametrize("shape", [(), (0,), (0, 32), (2,), (2, 31), (1, 2, 32)], ids=str)
def test_token_types_of_another_shape_are_refused(copy_checkpoint, shape):
    name = "bert.embeddings.token_type_embeddings.weight"
    folder = change_tensors(
        copy_checkpoint("bert"), lambda tensors: tensors.update({name: torch.ones(shape)})
    )
    check_refused(folder, rf"{re.escape(name)} has shape {re.escape(str(shape))}")


@pytest.mark.parametrize("kind", WEIGHT_OF)
def test_a_weight_that_is_not_a_number_is_refused(copy_checkpoint, kind):
    def insert_nan(tensors):
        tensors[WEIGHT_OF[kind]].view(-1)[0] = torch.nan

    check_refused(
        change_tensors(copy_checkpoint(kind), insert_nan),
        f"{re.escape(WEIGHT_OF[kind])} contains infinity or NaN",
    )


def test_weights_of_another_architecture_are_refused(copy_checkpoint):
    check_refused(
        change_config(copy_checkpoint("gpt2"), model_type="llama"),
        "config.json: num_attention_heads is missing",
    )


def test_weights_without_a_token_embedding_are_refused(copy_checkpoint):
    name = "model.embed_tokens.weight"
    folder = change_tensors(copy_checkpoint("llama"), lambda tensors: tensors.pop(name))
    check_refused(
        folder, r"the weights have no tensor embed_tokens\.weight, which every Llama model has"
    )


def test_legacy_names_of_norms_are_read(checkpoint_folder, copy_checkpoint):
    def rename(tensors):
        for name in list(tensors):
            if "LayerNorm" in name:
                old = name.replace(".weight", ".gamma").replace(".bias", ".beta")
                tensors[old] = tensors.pop(name)

    folders = change_tensors(copy_checkpoint("bert-base"), rename), checkpoint_folder("bert-base")
    actual, expected = (read_checkpoint(each).transformer.layers[1].ffn_norm for each in folders)
    assert actual.gain.tolist() == expected.gain.tolist()
    assert actual.bias.tolist() == expected.bias.tolist()


@pytest.mark.parametrize(
    ("kind", "changes", "tensor"),
    [
        ("llama-biased", {"attention_bias": False}, r"model\.layers\.0\.self_attn\..*bias"),
        ("llama-biased", {"mlp_bias": False}, r"model\.layers\.0\.mlp\..*bias"),
        ("bert", {"num_hidden_layers": 1}, r"bert\.encoder\.layer\.1\..*"),
    ],
)
def test_a_tensor_that_the_configuration_does_not_describe_is_refused(
    copy_checkpoint, kind, changes, tensor
):
    folder = change_config(copy_checkpoint(kind), **changes)
    check_refused(folder, f"the weights have a tensor {tensor}, which the configuration does not")


@pytest.mark.parametrize("part", ["attn.bias", "attn.masked_bias"])
def test_masks_in_old_files_are_ignored(copy_checkpoint, part):
    def add_mask(tensors):
        tensors[f"transformer.h.0.{part}"] = torch.zeros(1, 1, 4, 4)

    read_checkpoint(change_tensors(copy_checkpoint("gpt2"), add_mask))


def test_an_lm_head_without_its_bias_is_refused(copy_checkpoint):
    def remove_bias(tensors):
        for name in ("cls.predictions.bias", "cls.predictions.decoder.bias"):
            tensors.pop(name, None)

    folder = change_tensors(copy_checkpoint("bert"), remove_bias)
    check_refused(folder, r"the weights have no tensor cls\.predictions\.bias")
