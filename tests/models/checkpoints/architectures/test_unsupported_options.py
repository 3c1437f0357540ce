"""Options of configurations that are refused rather than computed wrongly."""

import pytest

from tests.models.checkpoints.damage import REMOVE, change_config, check_refused

REFUSED = [
    ("bert", {"num_attention_heads": 5}, "a width of 32 is not divisible by 5 heads"),
    ("bert", {"num_attention_heads": 64}, "a width of 32 is not divisible by 64 heads"),
    ("gpt2", {"n_head": 3}, "a width of 32 is not divisible by 3 heads"),
    ("llama", {"num_key_value_heads": 3}, "4 heads cannot share 3 sets of keys and values"),
    (
        "llama",
        {"num_attention_heads": 5, "head_dim": REMOVE},
        "divisible by 5 heads, and head_dim is missing",
    ),
    ("llama", {"head_dim": 7}, "d_head is 7, but rotary positions require an even number"),
    ("bert", {"model_type": "mamba"}, "its model_type is 'mamba'; supported are bert, roberta"),
    ("bert", {"model_type": REMOVE}, "its model_type is 'None'; supported are bert, roberta"),
    ("bert", {"model_type": ["bert"]}, "its model_type is .*; supported are bert, roberta"),
    ("llama", {"model_type": "gemma2"}, "its model_type is 'gemma2'"),
    ("llama", {"quantization_config": {"bits": 4}}, "its weights are quantised"),
    ("bert", {"hidden_act": "quick_gelu"}, "hidden_act is 'quick_gelu'; supported are gelu, "),
    ("bert", {"hidden_act": ["gelu"]}, r"hidden_act is \['gelu'\]; supported are gelu"),
    ("bert", {"position_embedding_type": "relative_key"}, "its positions are 'relative_key'"),
    ("bert", {"is_decoder": True}, "it is a decoder"),
    ("roberta", {"is_decoder": True}, "it is a decoder"),
    ("bert", {"pruned_heads": {"0": [1]}}, "some heads are pruned"),
    ("distilbert", {"pruned_heads": {"0": [1]}}, "some heads are pruned"),
    ("gpt2", {"scale_attn_weights": False}, "not scaled by 1/√d_head alone"),
    ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "not scaled by 1/√d_head alone"),
    ("gpt2", {"add_cross_attention": True}, "it has cross-attention"),
    ("mistral", {"sliding_window": 4096}, r"it has a sliding window \(4096\)"),
    ("llama", {"sliding_window": 0}, r"it has a sliding window \(0\)"),
    (
        "qwen2",
        {"use_sliding_window": True, "sliding_window": 32},
        r"it has a sliding window \(32\)",
    ),
    (
        "qwen2",
        {"layer_types": ["full_attention", "sliding_attention", "full_attention"]},
        "some layers do not attend to all earlier tokens",
    ),
    ("qwen2", {"layer_types": "full_attention"}, "some layers do not attend to all earlier tokens"),
    ("llama", {"partial_rotary_factor": 0.5}, "its rotary positions apply to a part of each head"),
]


@pytest.mark.parametrize(("kind", "changes", "cause"), REFUSED, ids=str)
def test_an_unsupported_option_is_refused(copy_checkpoint, kind, changes, cause):
    check_refused(change_config(copy_checkpoint(kind), **changes), cause)


@pytest.mark.parametrize("padding", [-1, True, "1", 1.5], ids=repr)
def test_a_padding_token_that_is_not_an_id_is_refused(copy_checkpoint, padding):
    check_refused(
        change_config(copy_checkpoint("roberta"), pad_token_id=padding),
        "pad_token_id is not a token id",
    )


def test_positions_that_end_with_that_of_the_padding_are_refused(copy_checkpoint):
    check_refused(
        change_config(copy_checkpoint("roberta"), pad_token_id=149),
        "no positions after that of the padding token",
    )


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
def test_scaled_rotary_positions_are_refused(copy_checkpoint, spelling):
    check_refused(
        change_config(copy_checkpoint("llama"), **SCALED[spelling]),
        "its rotary positions are scaled",
    )


def test_rotary_positions_that_differ_between_layers_are_refused(copy_checkpoint):
    several = {"full_attention": {"rope_type": "default", "rope_theta": 10.0}}
    check_refused(
        change_config(copy_checkpoint("llama"), rope_parameters=several),
        "its layers have different rotary positions",
    )


@pytest.mark.parametrize("name", ["rope_parameters", "rope_scaling"])
def test_rotary_parameters_that_are_not_an_object_are_refused(copy_checkpoint, name):
    check_refused(
        change_config(copy_checkpoint("llama"), **{name: [1]}),
        f"config.json: {name} is not a JSON object",
    )
