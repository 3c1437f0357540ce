"""Values of config.json that are refused, in checkpoints of several architectures."""

import pytest

from tests.models.checkpoints.damage import REMOVE, change_config, check_refused


@pytest.mark.parametrize("text", ["", "{", "\xff", "[" * 100_000, '{"a":' * 100_000, "NaN]"])
def test_a_configuration_that_is_not_json_is_refused(copy_checkpoint, text):
    folder = copy_checkpoint("bert")
    (folder / "config.json").write_text(text, "latin-1")
    check_refused(folder, r"config\.json cannot be read")


@pytest.mark.parametrize("text", ["[]", "1", "null", '"bert"', "NaN"])
def test_a_configuration_that_is_not_an_object_is_refused(copy_checkpoint, text):
    folder = copy_checkpoint("bert")
    (folder / "config.json").write_text(text)
    check_refused(folder, r"config\.json is not a JSON object")


def test_a_configuration_that_is_a_folder_is_refused(copy_checkpoint):
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
def test_an_invalid_size_is_refused(copy_checkpoint, kind, name, size):
    check_refused(
        change_config(copy_checkpoint(kind), **{name: size}),
        f"config\\.json: {name} is .*, not a positive size",
    )


@pytest.mark.parametrize("name", ["hidden_size", "num_attention_heads", "vocab_size"])
def test_a_missing_size_is_refused(copy_checkpoint, name):
    check_refused(
        change_config(copy_checkpoint("bert"), **{name: REMOVE}),
        f"config\\.json: {name} is missing",
    )


@pytest.mark.parametrize("value", [-1, 0, "1", True, float("nan"), float("inf"), [1]], ids=repr)
@pytest.mark.parametrize(("kind", "name"), [("bert", "layer_norm_eps"), ("llama", "rms_norm_eps")])
def test_an_invalid_number_is_refused(copy_checkpoint, kind, name, value):
    check_refused(
        change_config(copy_checkpoint(kind), **{name: value}),
        f"{name} is .*, not a positive number",
    )


@pytest.mark.parametrize("value", [0, "yes", [], 1.0], ids=repr)
def test_a_flag_that_is_neither_true_nor_false_is_refused(copy_checkpoint, value):
    check_refused(
        change_config(copy_checkpoint("bert"), tie_word_embeddings=value), "not true or false"
    )


@pytest.mark.parametrize("value", ["BertForMaskedLM", [1], {"a": 1}], ids=repr)
def test_architectures_that_are_not_a_list_of_names_are_refused(copy_checkpoint, value):
    check_refused(
        change_config(copy_checkpoint("gpt2"), architectures=value),
        "architectures is .*, not a list of names",
    )
