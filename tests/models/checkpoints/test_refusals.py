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
from tests.models.checkpoints.tiny import save


@pytest.fixture
def copy(checkpoint, tmp_path):
    """A tiny checkpoint that may be damaged."""
    return lambda kind: shutil.copytree(checkpoint(kind), tmp_path / kind)


def changed(folder, **changes):
    file = folder / "config.json"
    values = json.loads(file.read_text()) | changes
    file.write_text(json.dumps({name: value for name, value in values.items() if value != ABSENT}))
    return folder


ABSENT = "absent"


def refuses(folder, cause):
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(folder)
    assert str(caught.value).startswith(f"{folder}: ")
    assert re.search(cause, str(caught.value)), str(caught.value)


def test_a_folder_that_is_not_there(tmp_path):
    refuses(tmp_path / "none", "there is no such folder")


def test_a_folder_whose_name_is_too_long_to_be_one(tmp_path):
    refuses(tmp_path / ("x" * 300), "File name too long")


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "file").write_text("{}")
    refuses(tmp_path / "file", "there is no such folder")


def test_an_empty_folder(tmp_path):
    refuses(tmp_path, r"config\.json is missing: this is no folder of a checkpoint")


@pytest.mark.parametrize("text", ["", "{", "\xff", "[" * 100_000, '{"a":' * 100_000, "NaN]"])
def test_a_configuration_that_is_no_json(copy, text):
    folder = copy("bert")
    (folder / "config.json").write_text(text, "latin-1")
    refuses(folder, r"config\.json cannot be read")


@pytest.mark.parametrize("text", ["[]", "1", "null", '"bert"', "NaN"])
def test_a_configuration_that_is_no_object(copy, text):
    folder = copy("bert")
    (folder / "config.json").write_text(text)
    refuses(folder, r"config\.json holds no object")


def test_a_configuration_that_is_a_folder(copy):
    folder = copy("bert")
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()
    refuses(folder, r"config\.json cannot be read")


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
def test_a_size_that_is_none(copy, kind, name, size):
    refuses(
        changed(copy(kind), **{name: size}), f"config\\.json: {name} is .*, not a positive size"
    )


@pytest.mark.parametrize("name", ["hidden_size", "num_attention_heads", "vocab_size"])
def test_a_size_that_is_missing(copy, name):
    refuses(changed(copy("bert"), **{name: ABSENT}), f"{name} is missing")


@pytest.mark.parametrize("value", [-1, 0, "1", True, float("nan"), float("inf"), [1]], ids=repr)
@pytest.mark.parametrize(("kind", "name"), [("bert", "layer_norm_eps"), ("llama", "rms_norm_eps")])
def test_a_number_that_is_none(copy, kind, name, value):
    refuses(changed(copy(kind), **{name: value}), f"{name} is .*, not a positive number")


@pytest.mark.parametrize("value", [0, "yes", [], 1.0], ids=repr)
def test_a_flag_that_is_neither_true_nor_false(copy, value):
    refuses(changed(copy("bert"), tie_word_embeddings=value), "not true or false")


@pytest.mark.parametrize("value", ["BertForMaskedLM", [1], {"a": 1}], ids=repr)
def test_architectures_that_are_no_list_of_names(copy, value):
    refuses(changed(copy("gpt2"), architectures=value), "architectures is .*, no list of names")


@pytest.mark.parametrize("padding", [-1, True, "1", 1.5], ids=repr)
def test_a_padding_that_is_no_token(copy, padding):
    refuses(changed(copy("roberta"), pad_token_id=padding), "pad_token_id is no token")


def test_positions_that_end_with_the_paddings(copy):
    refuses(changed(copy("roberta"), pad_token_id=149), "no position beyond that of the padding")


REFUSED = [
    ("bert", {"num_attention_heads": 5}, "5 heads do not part a width of 32"),
    ("bert", {"num_attention_heads": 64}, "64 heads do not part a width of 32"),
    ("gpt2", {"n_head": 3}, "3 heads do not part a width of 32"),
    ("llama", {"num_key_value_heads": 3}, "4 heads do not share 3 sets of keys and values"),
    ("llama", {"num_attention_heads": 5, "head_dim": ABSENT}, "5 heads do not part a width of 32"),
    ("llama", {"head_dim": 7}, "its heads are 7 wide, and turns need an even width"),
    ("bert", {"model_type": "mamba"}, "its model_type is 'mamba'; read are bert, roberta"),
    ("bert", {"model_type": ABSENT}, "its model_type is 'None'; read are bert, roberta"),
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
def test_what_is_built_otherwise(copy, kind, changes, cause):
    refuses(changed(copy(kind), **changes), cause)


LINEAR = {"rope_type": "linear", "factor": 2.0, "rope_theta": 10_000.0}
SCALED = {
    "newer": {"rope_parameters": LINEAR},
    "newer with llama3": {"rope_parameters": LINEAR | {"rope_type": "llama3"}},
    "newer spelled as older": {"rope_parameters": {"type": "yarn", "factor": 4.0}},
    "older": {"rope_parameters": ABSENT, "rope_scaling": {"type": "dynamic", "factor": 2.0}},
    "older spelled as newer": {"rope_parameters": ABSENT, "rope_scaling": LINEAR},
    "both, the older scaled": {"rope_scaling": LINEAR},
    "two names in one": {"rope_parameters": LINEAR | {"rope_type": "default", "type": "linear"}},
}


@pytest.mark.parametrize("spelling", SCALED)
def test_scaled_rotary_positions(copy, spelling):
    refuses(changed(copy("llama"), **SCALED[spelling]), "its rotary positions are scaled")


def test_rotary_positions_of_several_kinds(copy):
    several = {"full_attention": {"rope_type": "default", "rope_theta": 10.0}}
    refuses(changed(copy("llama"), rope_parameters=several), "rotary positions of several kinds")


@pytest.mark.parametrize("name", ["rope_parameters", "rope_scaling"])
def test_rotary_parameters_that_are_no_object(copy, name):
    refuses(changed(copy("llama"), **{name: [1]}), f"config.json: {name} is no object")


class Runs:
    """What a pickle can do: this one makes a file when it is loaded."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.ckpt", "weights.pkl"])
def test_pickled_weights_are_never_opened(copy, tmp_path, name):
    folder, trace = copy("bert"), tmp_path / "it-ran"
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Runs(trace)))
    refuses(folder, rf"pickled \({name}\).*Save it anew.*model\.save_pretrained\(folder\)")
    assert not trace.exists()


def test_the_pickle_of_that_test_does_run_what_it_says(tmp_path):
    pickle.loads(pickle.dumps(Runs(tmp_path / "it-ran")))  # noqa: S301
    assert (tmp_path / "it-ran").exists()


def test_a_pickle_beside_the_weights_is_left_alone(copy, tmp_path):
    folder, trace = copy("bert"), tmp_path / "it-ran"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Runs(trace)))
    assert read_checkpoint(folder).card.id == "bert"
    assert not trace.exists()


def test_no_weights_at_all(copy):
    folder = copy("bert")
    (folder / "model.safetensors").unlink()
    refuses(folder, r"neither model\.safetensors nor model\.safetensors\.index\.json is here")


def with_tensors(folder, change):
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
def test_a_tensor_that_is_missing(copy, kind):
    folder = with_tensors(copy(kind), lambda tensors: tensors.pop(WEIGHT_OF[kind]))
    refuses(folder, f"its weights lack {re.escape(WEIGHT_OF[kind])}")


@pytest.mark.parametrize("kind", WEIGHT_OF)
def test_a_tensor_of_another_shape(copy, kind):
    name = WEIGHT_OF[kind]
    folder = with_tensors(copy(kind), lambda tensors: tensors.update({name: torch.ones(3, 2)}))
    refuses(folder, rf"{re.escape(name)} has shape \(3, 2\); by config\.json it must have")


@pytest.mark.parametrize("shape", [(), (0,), (0, 32), (2,), (2, 31), (1, 2, 32)], ids=str)
def test_token_types_of_another_shape(copy, shape):
    name = "bert.embeddings.token_type_embeddings.weight"
    folder = with_tensors(copy("bert"), lambda tensors: tensors.update({name: torch.ones(shape)}))
    refuses(folder, rf"{re.escape(name)} has shape {re.escape(str(shape))}")


@pytest.mark.parametrize("kind", WEIGHT_OF)
def test_a_weight_that_is_no_number(copy, kind):
    def spoil(tensors):
        tensors[WEIGHT_OF[kind]].view(-1)[0] = torch.nan

    refuses(with_tensors(copy(kind), spoil), "holds numbers that are infinite or none at all")


def test_weights_of_another_family(copy):
    refuses(
        changed(copy("gpt2"), model_type="llama"), "config.json: num_attention_heads is missing"
    )


def test_weights_without_an_embedding(copy):
    name = "model.embed_tokens.weight"
    folder = with_tensors(copy("llama"), lambda tensors: tensors.pop(name))
    refuses(folder, r"its weights have no embed_tokens\.weight, which every Llama has")


@pytest.mark.parametrize("length", [0, 1, 8, 100, -1])
def test_weights_cut_short(copy, length):
    folder = copy("llama")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:length])
    refuses(folder, r"model\.safetensors is damaged or cut short")


def test_the_first_years_names_of_norms_are_read(checkpoint, copy):
    def rename(tensors):
        for name in list(tensors):
            if "LayerNorm" in name:
                old = name.replace(".weight", ".gamma").replace(".bias", ".beta")
                tensors[old] = tensors.pop(name)

    folders = with_tensors(copy("bert-base"), rename), checkpoint("bert-base")
    ours, expected = (read_checkpoint(each).transformer.layers[1].ffn_norm for each in folders)
    assert ours.gain.tolist() == expected.gain.tolist()
    assert ours.bias.tolist() == expected.bias.tolist()


def test_no_tokenizer(copy):
    folder = copy("bert")
    (folder / "tokenizer.json").unlink()
    refuses(folder, r"tokenizer\.json is missing.*AutoTokenizer.*save_pretrained\(folder\)")


def with_tokenizer(folder, change):
    file = folder / "tokenizer.json"
    told = json.loads(file.read_text("utf-8"))
    change(told)
    file.write_text(json.dumps(told), "utf-8")
    return folder


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "null", '{"model": {"type": "BPE"}}'])
def test_a_tokenizer_that_is_none(copy, text):
    folder = copy("bert")
    (folder / "tokenizer.json").write_text(text)
    refuses(folder, r"tokenizer\.json is no tokenizer")


PANIC_AT_LOAD = {"type": "Precompiled", "precompiled_charsmap": "AAAA"}
PANIC_AT_WORK = {"type": "Precompiled", "precompiled_charsmap": "BAAAAP///38AAAAAAAAAAAAA"}


def test_a_tokenizer_that_the_library_panics_of_at_load(copy):
    folder = with_tokenizer(copy("bert"), lambda told: told.update(normalizer=PANIC_AT_LOAD))
    refuses(folder, r"tokenizer\.json is no tokenizer: Precompiled")


@pytest.mark.parametrize(
    "part",
    [
        {"normalizer": PANIC_AT_WORK},
        {"pre_tokenizer": {"type": "FixedLength", "length": 0}},
    ],
    ids=["index out of bounds", "division by zero"],
)
def test_a_tokenizer_that_the_library_panics_of_at_work(copy, part):
    folder = with_tokenizer(copy("bert"), lambda told: told.update(part))
    refuses(folder, "the tokenizer cannot read this text")


def test_a_tokenizer_without_a_token_for_what_it_does_not_know(copy):
    folder = with_tokenizer(copy("bert"), lambda told: told["model"].update(unk_token="[NONE]"))
    refuses(folder, "the tokenizer cannot read this text: .*Missing \\[UNK\\] token")


def test_tokens_beyond_what_the_weights_know(copy):
    folder = with_tokenizer(copy("bert"), lambda told: told["model"]["vocab"].update(much=163))
    refuses(folder, r"tokenizer\.json has tokens up to 163, beyond the 163 that the weights know")


def test_added_tokens_beyond_what_the_weights_know(copy):
    def number(told):
        told["post_processor"]["special_tokens"]["[CLS]"]["ids"] = [9999]

    refuses(with_tokenizer(copy("bert"), number), r"adds the token 9999, beyond the 163")


@pytest.mark.parametrize("pieces", ["", "AA"], ids=["left out", "twice"])
def test_a_tokenizer_that_does_not_read_the_sentence_once(copy, pieces):
    def template(told):
        special, sentence, _ = told["post_processor"]["single"]
        told["post_processor"]["single"] = [special, *(sentence for _ in pieces)]

    refuses(with_tokenizer(copy("bert"), template), "does not read a sentence from its start")


def test_a_reason_is_one_line_that_a_log_can_hold(tmp_path):
    told = str(checkpoint_error(tmp_path, "a\nb\x1b[31m\ud800" + "x" * 10_000))
    assert told.isprintable()
    assert len(told) < len(str(tmp_path)) + MAX_REASON_LENGTH + 10
    told.encode()


def test_numbers_of_layers_that_the_configuration_knows_nothing_of_are_refused(tmp_path):
    folder = save("llama-biased", tmp_path / "biased")
    changed(folder, attention_bias=False)
    refuses(folder, r"by config\.json it has no .*bias, yet its weights do")
    shorter = save("bert", tmp_path / "shorter")
    changed(shorter, num_hidden_layers=1)
    refuses(shorter, r"by config\.json it has no .*layer\.1\.")


@pytest.mark.parametrize("part", ["attn.bias", "attn.masked_bias"])
def test_masks_that_old_files_hold_are_passed_over(tmp_path, part):
    folder = save("gpt2", tmp_path / "old")
    file = folder / "model.safetensors"
    tensors = load_file(file)
    prefix = next(name for name in tensors if name.endswith("h.0.ln_1.weight"))[:-11]
    tensors[f"{prefix}{part}"] = torch.zeros(1, 1, 4, 4)
    save_file(tensors, file, metadata={"format": "pt"})
    read_checkpoint(folder)


def test_a_record_that_is_not_of_every_head_is_refused(tmp_path):
    folder = save("bert", tmp_path / "measured")
    record = {
        "model": "measured",
        "weights_sha256": read_checkpoint(folder).weights_sha256,
        "treebank": "ours",
        "licence": "",
        "sentences": 1,
        "left_out": 0,
        "words": 1,
        "command": "",
        "heads": [],
        "baselines": [],
        "twin_tops": {},
    }
    (folder / "heads.json").write_text(json.dumps(record))
    refuses(folder, "does not tell of every head of this model")
