"""Llama and what is built like it: Mistral without a sliding window, and Qwen2.

Shared keys and values, positions as turns, norms by the root mean square, gated feed-forward parts.
Source: Touvron et al. 2023, section 2.2; names as in transformers' `LlamaForCausalLM`.
"""

from app.models.checkpoints.architecture import Architecture, Spec, TensorNames
from app.models.checkpoints.config import Config

LAYER = "layers.{i}."
NAMES = TensorNames(
    prefixes=("model.", ""),
    token_embedding="embed_tokens",
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
        f"{n_heads} heads do not part a width of {d_model}, and no head_dim is given",
    )
    config.reject_if(d_head % 2, f"its heads are {d_head} wide, and turns need an even width")
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
        biases=biased_parts(config),
        uses_layer_norm=False,
        rope_theta=read_rope_theta(config),
    )


def reject_sliding_window(config: Config) -> None:
    """Qwen2 names a window that it does not use unless it says so."""
    is_qwen = config.get("model_type") == "qwen2"
    is_used = config.flag("use_sliding_window", default=False) if is_qwen else True
    window = config.get("sliding_window") if is_used else None
    config.reject_if(
        window is not None, f"it reads through a sliding window ({window}), which is not supported"
    )
    kinds = config.get("layer_types", [])
    config.reject_if(
        not isinstance(kinds, list) or any(kind != "full_attention" for kind in kinds),
        "some of its layers do not read everything before, which is not supported",
    )


def biased_parts(config: Config) -> frozenset[str]:
    if config.get("model_type") == "qwen2":
        return frozenset({"qkv"})
    attention = config.flag("attention_bias", default=False)
    ffn = config.flag("mlp_bias", default=False)
    return frozenset({"qkv", "output"} if attention else ()) | frozenset({"ffn"} if ffn else ())


def read_rope_theta(config: Config) -> float:
    """The base of the rotary frequencies; older and newer configurations say it in two ways."""
    parameters: dict[str, object] = {}
    for name in ("rope_scaling", "rope_parameters"):
        section = config.get(name, {})
        config.reject_if(not isinstance(section, dict), f"config.json: {name} is no object")
        parameters |= section
        for kind in (section.get("rope_type"), section.get("type")):
            config.reject_if(
                kind not in (None, "default"),
                f"its rotary positions are scaled ({str(kind)[:60]!r}), which is not supported",
            )
    config.reject_if(
        any(isinstance(value, dict) for value in parameters.values()),
        "its layers have rotary positions of several kinds, which is not supported",
    )
    merged = Config({**config.values, **parameters})
    config.reject_if(
        merged.number("partial_rotary_factor", 1.0) != 1.0,
        "only a part of its queries and keys is turned, which is not supported",
    )
    return merged.number("rope_theta", 10_000.0)


LLAMA = Architecture("Llama", ("llama", "mistral", "qwen2"), read_spec, NAMES)
