"""What is refused, with the folder, the cause, and the way out where there is one."""

import json
import os
import pickle
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.models.checkpoints import CheckpointError, read_checkpoint
from app.models.checkpoints.errors import MAX_REASON_LENGTH, checkpoint_error
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint


@pytest.fixture
def copy_checkpoint(checkpoint_folder, tmp_path):
    """A tiny checkpoint that may be damaged."""
    return lambda kind: shutil.copytree(checkpoint_folder(kind), tmp_path / kind)


def change_config(folder, **changes):
    file = folder / "config.json"
    values = json.loads(file.read_text()) | changes
    file.write_text(json.dumps({name: value for name, value in values.items() if value != REMOVE}))
    return folder


REMOVE = "absent"


def check_refused(folder, cause):
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(folder)
    assert str(caught.value).startswith(f"{folder}: ")
    assert re.search(cause, str(caught.value)), str(caught.value)


def test_a_folder_that_is_not_there(tmp_path):
    check_refused(tmp_path / "none", "there is no such folder")


def test_a_folder_whose_name_is_too_long_to_be_one(tmp_path):
    check_refused(tmp_path / ("x" * 300), "File name too long")


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "file").write_text("{}")
    check_refused(tmp_path / "file", "there is no such folder")


def test_an_empty_folder(tmp_path):
    check_refused(tmp_path, r"config\.json is missing: this is no folder of a checkpoint")


@pytest.mark.parametrize("text", ["", "{", "\xff", "[" * 100_000, '{"a":' * 100_000, "NaN]"])
def test_a_configuration_that_is_no_json(copy_checkpoint, text):
    folder = copy_checkpoint("bert")
    (folder / "config.json").write_text(text, "latin-1")
    check_refused(folder, r"config\.json cannot be read")


@pytest.mark.parametrize("text", ["[]", "1", "null", '"bert"', "NaN"])
def test_a_configuration_that_is_no_object(copy_checkpoint, text):
    folder = copy_checkpoint("bert")
    (folder / "config.json").write_text(text)
    check_refused(folder, r"config\.json holds no object")


def test_a_configuration_that_is_a_folder(copy_checkpoint):
    folder = copy_checkpoint("bert")
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()
    check_refused(folder, r"config\.json cannot be read")


SIZES = {
    "bert": ["hidden_size", "num_attention_heads", "num_hidden_layers", "vocab_size"],
    "distilbert": ["dim", "n_heads", "n_layers", "hidden_dim"],
    "gpt2": ["n_embd", "n_head", "n_layer", "n_positions"],
    "llama": ["num_key_value_heads", "head_dim", "intermediate_size", "max_position_embeddings"],
}


@pytest.mark.parametrize(("kind", "name"), [(k, name) for k in SIZES for name in SIZES[k]])
@pytest.mark.parametrize(
    "size", [-1, 0, 10**9, 10**30, True, "32", 32.0, [32], {}, float("nan"), float("inf")], ids=repr
)
def test_a_size_that_is_none(copy_checkpoint, kind, name, size):
    check_refused(
        change_config(copy_checkpoint(kind), **{name: size}),
        f"config\\.json: {name} is .*, not a positive size",
    )


@pytest.mark.parametrize("name", ["hidden_size", "num_attention_heads", "vocab_size"])
def test_a_size_that_is_missing(copy_checkpoint, name):
    check_refused(change_config(copy_checkpoint("bert"), **{name: REMOVE}), f"{name} is missing")


@pytest.mark.parametrize("value", [-1, 0, "1", True, float("nan"), float("inf"), [1]], ids=repr)
@pytest.mark.parametrize(("kind", "name"), [("bert", "layer_norm_eps"), ("llama", "rms_norm_eps")])
def test_a_number_that_is_none(copy_checkpoint, kind, name, value):
    check_refused(
        change_config(copy_checkpoint(kind), **{name: value}),
        f"{name} is .*, not a positive number",
    )


@pytest.mark.parametrize("value", [0, "yes", [], 1.0], ids=repr)
def test_a_flag_that_is_neither_true_nor_false(copy_checkpoint, value):
    check_refused(
        change_config(copy_checkpoint("bert"), tie_word_embeddings=value), "not true or false"
    )


@pytest.mark.parametrize("value", ["BertForMaskedLM", [1], {"a": 1}], ids=repr)
def test_architectures_that_are_no_list_of_names(copy_checkpoint, value):
    check_refused(
        change_config(copy_checkpoint("gpt2"), architectures=value),
        "architectures is .*, no list of names",
    )


@pytest.mark.parametrize("padding", [-1, True, "1", 1.5], ids=repr)
def test_a_padding_that_is_no_token(copy_checkpoint, padding):
    check_refused(
        change_config(copy_checkpoint("roberta"), pad_token_id=padding), "pad_token_id is no token"
    )


def test_positions_that_end_with_the_paddings(copy_checkpoint):
    check_refused(
        change_config(copy_checkpoint("roberta"), pad_token_id=149),
        "no position beyond that of the padding",
    )


REFUSED = [
    ("bert", {"num_attention_heads": 5}, "5 heads do not part a width of 32"),
    ("bert", {"num_attention_heads": 64}, "64 heads do not part a width of 32"),
    ("gpt2", {"n_head": 3}, "3 heads do not part a width of 32"),
    ("llama", {"num_key_value_heads": 3}, "4 heads do not share 3 sets of keys and values"),
    ("llama", {"num_attention_heads": 5, "head_dim": REMOVE}, "5 heads do not part a width of 32"),
    ("llama", {"head_dim": 7}, "its heads are 7 wide, and turns need an even width"),
    ("bert", {"model_type": "mamba"}, "its model_type is 'mamba'; read are bert, roberta"),
    ("bert", {"model_type": REMOVE}, "its model_type is 'None'; read are bert, roberta"),
    ("bert", {"model_type": ["bert"]}, "its model_type is .*; read are bert, roberta"),
    ("llama", {"model_type": "gemma2"}, "its model_type is 'gemma2'"),
    ("llama", {"quantization_config": {"bits": 4}}, "its weights are quantised"),
    ("bert", {"hidden_act": "quick_gelu"}, "the activation 'quick_gelu' is not known; there are"),
    ("bert", {"hidden_act": ["gelu"]}, "is not known; there are gelu"),
    ("bert", {"position_embedding_type": "relative_key"}, "its positions are 'relative_key'"),
    ("bert", {"is_decoder": True}, "it is a decoder"),
    ("roberta", {"is_decoder": True}, "it is a decoder"),
    ("bert", {"pruned_heads": {"0": [1]}}, "some of its heads are pruned"),
    ("distilbert", {"pruned_heads": {"0": [1]}}, "some of its heads are pruned"),
    ("gpt2", {"scale_attn_weights": False}, "not divided by the root of d_head alone"),
    ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "not divided by the root of d_head alone"),
    ("gpt2", {"add_cross_attention": True}, "it reads a second text"),
    ("mistral", {"sliding_window": 4096}, r"reads through a sliding window \(4096\)"),
    ("llama", {"sliding_window": 0}, r"reads through a sliding window \(0\)"),
    (
        "qwen2",
        {"use_sliding_window": True, "sliding_window": 32},
        r"reads through a sliding window \(32\)",
    ),
    (
        "qwen2",
        {"layer_types": ["full_attention", "sliding_attention", "full_attention"]},
        "some of its layers do not read everything before",
    ),
    ("qwen2", {"layer_types": "full_attention"}, "some of its layers do not read everything"),
    ("llama", {"partial_rotary_factor": 0.5}, "only a part of its queries and keys is turned"),
]


@pytest.mark.parametrize(("kind", "changes", "cause"), REFUSED, ids=str)
def test_unsupported_architecture_options(copy_checkpoint, kind, changes, cause):
    check_refused(change_config(copy_checkpoint(kind), **changes), cause)


LINEAR = {"rope_type": "linear", "factor": 2.0, "rope_theta": 10_000.0}
SCALED = {
    "newer": {"rope_parameters": LINEAR},
    "newer with llama3": {"rope_parameters": LINEAR | {"rope_type": "llama3"}},
    "newer spelled as older": {"rope_parameters": {"type": "yarn", "factor": 4.0}},
    "older": {"rope_parameters": REMOVE, "rope_scaling": {"type": "dynamic", "factor": 2.0}},
    "older spelled as newer": {"rope_parameters": REMOVE, "rope_scaling": LINEAR},
    "both, the older scaled": {"rope_scaling": LINEAR},
    "two names in one": {"rope_parameters": LINEAR | {"rope_type": "default", "type": "linear"}},
}


@pytest.mark.parametrize("spelling", SCALED)
def test_scaled_rotary_positions(copy_checkpoint, spelling):
    check_refused(
        change_config(copy_checkpoint("llama"), **SCALED[spelling]),
        "its rotary positions are scaled",
    )


def test_rotary_positions_of_several_kinds(copy_checkpoint):
    several = {"full_attention": {"rope_type": "default", "rope_theta": 10.0}}
    check_refused(
        change_config(copy_checkpoint("llama"), rope_parameters=several),
        "rotary positions of several kinds",
    )


@pytest.mark.parametrize("name", ["rope_parameters", "rope_scaling"])
def test_rotary_parameters_that_are_no_object(copy_checkpoint, name):
    check_refused(
        change_config(copy_checkpoint("llama"), **{name: [1]}), f"config.json: {name} is no object"
    )


class MakesFolderWhenUnpickled:
    """What a pickle can do: this one makes a file when it is loaded."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.ckpt", "weights.pkl"])
def test_pickled_weights_are_never_opened(copy_checkpoint, tmp_path, name):
    folder, marker = copy_checkpoint("bert"), tmp_path / "it-ran"
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(MakesFolderWhenUnpickled(marker)))
    check_refused(folder, rf"pickled \({name}\).*Save it anew.*model\.save_pretrained\(folder\)")
    assert not marker.exists()


def test_the_pickle_of_that_test_does_execute_code(tmp_path):
    pickle.loads(pickle.dumps(MakesFolderWhenUnpickled(tmp_path / "it-ran")))  # noqa: S301
    assert (tmp_path / "it-ran").exists()


def test_a_pickle_next_to_the_weights_is_ignored(copy_checkpoint, tmp_path):
    folder, marker = copy_checkpoint("bert"), tmp_path / "it-ran"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(MakesFolderWhenUnpickled(marker)))
    assert read_checkpoint(folder).card.id == "bert"
    assert not marker.exists()


def test_no_weights_at_all(copy_checkpoint):
    folder = copy_checkpoint("bert")
    (folder / "model.safetensors").unlink()
    check_refused(folder, r"neither model\.safetensors nor model\.safetensors\.index\.json is here")


def change_tensors(folder, change):
    file = folder / "model.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file)
    return folder


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
def test_a_tensor_that_is_missing(copy_checkpoint, kind):
    folder = change_tensors(copy_checkpoint(kind), lambda tensors: tensors.pop(WEIGHT_OF[kind]))
    check_refused(folder, f"its weights lack {re.escape(WEIGHT_OF[kind])}")


@pytest.mark.parametrize("kind", WEIGHT_OF)
def test_a_tensor_of_another_shape(copy_checkpoint, kind):
    name = WEIGHT_OF[kind]
    folder = change_tensors(
        copy_checkpoint(kind), lambda tensors: tensors.update({name: torch.ones(3, 2)})
    )
    check_refused(folder, rf"{re.escape(name)} has shape \(3, 2\); by config\.json it must have")


@pytest.mark.parametrize("shape", [(), (0,), (0, 32), (2,), (2, 31), (1, 2, 32)], ids=str)
def test_token_types_of_another_shape(copy_checkpoint, shape):
    name = "bert.embeddings.token_type_embeddings.weight"
    folder = change_tensors(
        copy_checkpoint("bert"), lambda tensors: tensors.update({name: torch.ones(shape)})
    )
    check_refused(folder, rf"{re.escape(name)} has shape {re.escape(str(shape))}")


@pytest.mark.parametrize("kind", WEIGHT_OF)
def test_a_weight_that_is_no_number(copy_checkpoint, kind):
    def insert_nan(tensors):
        tensors[WEIGHT_OF[kind]].view(-1)[0] = torch.nan

    check_refused(
        change_tensors(copy_checkpoint(kind), insert_nan),
        "holds numbers that are infinite or none at all",
    )


def test_weights_of_another_family(copy_checkpoint):
    check_refused(
        change_config(copy_checkpoint("gpt2"), model_type="llama"),
        "config.json: num_attention_heads is missing",
    )


def test_weights_without_an_embedding(copy_checkpoint):
    name = "model.embed_tokens.weight"
    folder = change_tensors(copy_checkpoint("llama"), lambda tensors: tensors.pop(name))
    check_refused(folder, r"its weights have no embed_tokens\.weight, which every Llama has")


@pytest.mark.parametrize("length", [0, 1, 8, 100, -1])
def test_weights_cut_short(copy_checkpoint, length):
    folder = copy_checkpoint("llama")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:length])
    check_refused(folder, r"model\.safetensors is damaged or cut short")


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


def test_no_tokenizer(copy_checkpoint):
    folder = copy_checkpoint("bert")
    (folder / "tokenizer.json").unlink()
    check_refused(folder, r"tokenizer\.json is missing.*AutoTokenizer.*save_pretrained\(folder\)")


def change_tokenizer(folder, change):
    file = folder / "tokenizer.json"
    tokenizer_json = json.loads(file.read_text("utf-8"))
    change(tokenizer_json)
    file.write_text(json.dumps(tokenizer_json), "utf-8")
    return folder


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "null", '{"model": {"type": "BPE"}}'])
def test_a_tokenizer_that_is_none(copy_checkpoint, text):
    folder = copy_checkpoint("bert")
    (folder / "tokenizer.json").write_text(text)
    check_refused(folder, r"tokenizer\.json is no tokenizer")


PANIC_ON_LOAD = {"type": "Precompiled", "precompiled_charsmap": "AAAA"}
PANIC_ON_USE = {"type": "Precompiled", "precompiled_charsmap": "BAAAAP///38AAAAAAAAAAAAA"}


def test_a_tokenizer_that_panics_on_load(copy_checkpoint):
    folder = change_tokenizer(
        copy_checkpoint("bert"),
        lambda tokenizer_json: tokenizer_json.update(normalizer=PANIC_ON_LOAD),
    )
    check_refused(folder, r"tokenizer\.json is no tokenizer: Precompiled")


@pytest.mark.parametrize(
    "part",
    [
        {"normalizer": PANIC_ON_USE},
        {"pre_tokenizer": {"type": "FixedLength", "length": 0}},
    ],
    ids=["index out of bounds", "division by zero"],
)
def test_a_tokenizer_that_panics_on_use(copy_checkpoint, part):
    folder = change_tokenizer(
        copy_checkpoint("bert"), lambda tokenizer_json: tokenizer_json.update(part)
    )
    check_refused(folder, "the tokenizer cannot read this text")


def test_a_tokenizer_without_an_unknown_token(copy_checkpoint):
    folder = change_tokenizer(
        copy_checkpoint("bert"),
        lambda tokenizer_json: tokenizer_json["model"].update(unk_token="[NONE]"),
    )
    check_refused(folder, "the tokenizer cannot read this text: .*Missing \\[UNK\\] token")


def test_tokens_beyond_the_embedding(copy_checkpoint):
    folder = change_tokenizer(
        copy_checkpoint("bert"),
        lambda tokenizer_json: tokenizer_json["model"]["vocab"].update(much=163),
    )
    check_refused(
        folder, r"tokenizer\.json has tokens up to 163, beyond the 163 that the weights know"
    )


def test_added_tokens_beyond_the_embedding(copy_checkpoint):
    def number(tokenizer_json):
        tokenizer_json["post_processor"]["special_tokens"]["[CLS]"]["ids"] = [9999]

    check_refused(
        change_tokenizer(copy_checkpoint("bert"), number), r"adds the token 9999, beyond the 163"
    )


@pytest.mark.parametrize("pieces", ["", "AA"], ids=["left out", "twice"])
def test_a_tokenizer_that_does_not_read_the_sentence_once(copy_checkpoint, pieces):
    def template(tokenizer_json):
        special, sentence, _ = tokenizer_json["post_processor"]["single"]
        tokenizer_json["post_processor"]["single"] = [special, *(sentence for _ in pieces)]

    check_refused(
        change_tokenizer(copy_checkpoint("bert"), template),
        "does not read a sentence from its start",
    )


def test_a_reason_is_one_printable_line(tmp_path):
    message = str(checkpoint_error(tmp_path, "a\nb\x1b[31m\ud800" + "x" * 10_000))
    assert message.isprintable()
    assert len(message) < len(str(tmp_path)) + MAX_REASON_LENGTH + 10
    message.encode()


def test_tensors_missing_from_the_configuration_are_refused(tmp_path):
    folder = save_checkpoint("llama-biased", tmp_path / "biased")
    change_config(folder, attention_bias=False)
    check_refused(folder, r"by config\.json it has no .*bias, yet its weights do")
    shorter = save_checkpoint("bert", tmp_path / "shorter")
    change_config(shorter, num_hidden_layers=1)
    check_refused(shorter, r"by config\.json it has no .*layer\.1\.")


@pytest.mark.parametrize("part", ["attn.bias", "attn.masked_bias"])
def test_masks_in_old_files_are_ignored(tmp_path, part):
    folder = save_checkpoint("gpt2", tmp_path / "old")
    file = folder / "model.safetensors"
    tensors = load_file(file)
    prefix = next(name for name in tensors if name.endswith("h.0.ln_1.weight"))[:-11]
    tensors[f"{prefix}{part}"] = torch.zeros(1, 1, 4, 4)
    save_file(tensors, file, metadata={"format": "pt"})
    read_checkpoint(folder)
