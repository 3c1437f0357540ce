"""Llama, Qwen2, and Mistral without a sliding window.

Grouped-query attention, rotary positions, RMSNorm and gated feed-forward layers.
Source: Touvron et al. 2023, section 2.2; names as in transformers' `LlamaForCausalLM`.
"""

from app.models.checkpoints.architecture import Architecture, Spec, TensorNames
from app.models.checkpoints.config import Config

LAYER = "layers.{i}."
NAMES = TensorNames(
    prefixes=("model.", ""),
    token_embedding="embed_tokens.weight",
    attention_norm=f"{LAYER}input_layernorm",
    qkv=tuple(f"{LAYER}self_attn.{part}_proj" for part in "qkv"),
    output=f"{LAYER}self_attn.o_proj",
    ffn_norm=f"{LAYER}post_attention_layernorm",
    ffn_gate=f"{LAYER}mlp.gate_proj",
    ffn_hidden=f"{LAYER}mlp.up_proj",
    ffn_output=f"{LAYER}mlp.down_proj",
    norm="norm",
    lm_head="lm_head",
)


def read_spec(config: Config) -> Spec:
    reject_sliding_window(config)
    n_heads, d_model = config.size("num_attention_heads"), config.size("hidden_size")
    d_head = config.size("head_dim", d_model // n_heads)
    config.reject_if(
        config.get("head_dim") is None and d_model % n_heads,
        f"a width of {d_model} is not divisible by {n_heads} heads, and head_dim is missing",
    )
    config.reject_if(d_head % 2, f"d_head is {d_head}, but rotary positions require an even number")
    return Spec(
        n_layers=config.size("num_hidden_layers"),
        n_heads=n_heads,
        n_kv_heads=config.size("num_key_value_heads", n_heads),
        d_model=d_model,
        d_head=d_head,
        d_hidden=config.size("intermediate_size"),
        vocabulary=config.size("vocab_size"),
        max_tokens=config.size("max_position_embeddings", 2048),
        activation=config.activation("hidden_act", "silu"),
        epsilon=config.number("rms_norm_eps", 1e-6),
        pre_norm=True,
        causal=True,
        tied_embeddings=config.flag("tie_word_embeddings", default=False),
        has_lm_head=config.has_lm_head(),
        biases=biased_projections(config),
        uses_layer_norm=False,
        rope_theta=read_rope_theta(config),
    )


def reject_sliding_window(config: Config) -> None:
    """Raise `CheckpointError` if a layer attends to a limited window.

    Qwen2 configurations have a `sliding_window` that is off unless `use_sliding_window` is true.
    """
    is_qwen = config.get("model_type") == "qwen2"
    is_used = config.flag("use_sliding_window", default=False) if is_qwen else True
    window = config.get("sliding_window") if is_used else None
    config.reject_if(
        window is not None, f"it has a sliding window ({window}), which is not supported"
    )
    kinds = config.get("layer_types", [])
    config.reject_if(
        not isinstance(kinds, list) or any(kind != "full_attention" for kind in kinds),
        "some layers do not attend to all earlier tokens, which is not supported",
    )


def biased_projections(config: Config) -> frozenset[str]:
    """Return the projections that have a bias, as in `Spec.biases`."""
    if config.get("model_type") == "qwen2":
        return frozenset({"qkv"})
    attention = config.flag("attention_bias", default=False)
    ffn = config.flag("mlp_bias", default=False)
    return frozenset({"qkv", "output"} if attention else ()) | frozenset({"ffn"} if ffn else ())


def read_rope_theta(config: Config) -> float:
    """Return the RoPE base θ, from `rope_parameters` (transformers >= 5) or the top level.

    Raises `CheckpointError` for scaled or partial RoPE. Source: Su et al. 2021.
    """
    parameters: dict[str, object] = {}
    for name in ("rope_scaling", "rope_parameters"):
        section = config.get(name, {})
        config.reject_if(not isinstance(section, dict), f"config.json: {name} is not a JSON object")
        parameters |= section
        for kind in (section.get("rope_type"), section.get("type")):
            config.reject_if(
                kind not in (None, "default"),
                f"its rotary positions are scaled ({str(kind)[:60]!r}), which is not supported",
            )
    config.reject_if(
        any(isinstance(value, dict) for value in parameters.values()),
        "its layers have different rotary positions, which is not supported",
    )
    merged = Config({**config.values, **parameters})
    config.reject_if(
        merged.number("partial_rotary_factor", 1.0) != 1.0,
        "its rotary positions apply to a part of each head, which is not supported",
    )
    return merged.number("rope_theta", 10_000.0)


LLAMA = Architecture("Llama", ("llama", "mistral", "qwen2"), read_spec, NAMES)
