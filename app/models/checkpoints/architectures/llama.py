"""Llama and what is built like it: Mistral without a sliding window, and Qwen2.

Shared keys and values, positions as turns, norms by the root mean square, gated feed-forward parts.
Source: Touvron et al. 2023, section 2.2; names as in transformers' `LlamaForCausalLM`.
"""

from app.models.checkpoints.architecture import Family, Names, Spec
from app.models.checkpoints.config import Config

LAYER = "layers.{i}."
NAMES = Names(
    prefixes=("model.", ""),
    tokens="embed_tokens",
    attention_norm=f"{LAYER}input_layernorm",
    qkv=tuple(f"{LAYER}self_attn.{part}_proj" for part in "qkv"),
    output=f"{LAYER}self_attn.o_proj",
    ffn_norm=f"{LAYER}post_attention_layernorm",
    ffn_gate=f"{LAYER}mlp.gate_proj",
    ffn_hidden=f"{LAYER}mlp.up_proj",
    ffn_output=f"{LAYER}mlp.down_proj",
    norm="norm",
    words="lm_head",
)


def spec(config: Config) -> Spec:
    refuse_windows(config)
    n_heads, d_model = config.size("num_attention_heads"), config.size("hidden_size")
    d_head = config.size("head_dim", d_model // n_heads)
    config.refuse_if(
        config.get("head_dim") is None and d_model % n_heads,
        f"{n_heads} heads do not part a width of {d_model}, and no head_dim is given",
    )
    config.refuse_if(d_head % 2, f"its heads are {d_head} wide, and turns need an even width")
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
        norm_first=True,
        causal=True,
        tied=config.flag("tie_word_embeddings", default=False),
        has_words=config.has_words(),
        biases=biases(config),
        mean_taken_off=False,
        rotary_base=rotary_base(config),
    )


def refuse_windows(config: Config) -> None:
    """Qwen2 names a window that it does not use unless it says so."""
    is_qwen = config.get("model_type") == "qwen2"
    used = config.flag("use_sliding_window", default=False) if is_qwen else True
    window = config.get("sliding_window") if used else None
    config.refuse_if(
        window is not None, f"it reads through a sliding window ({window}), which is not supported"
    )
    kinds = config.get("layer_types", [])
    config.refuse_if(
        not isinstance(kinds, list) or any(kind != "full_attention" for kind in kinds),
        "some of its layers do not read everything before, which is not supported",
    )


def biases(config: Config) -> frozenset[str]:
    if config.get("model_type") == "qwen2":
        return frozenset({"qkv"})
    attention = config.flag("attention_bias", default=False)
    ffn = config.flag("mlp_bias", default=False)
    return frozenset({"qkv", "output"} if attention else ()) | frozenset({"ffn"} if ffn else ())


def rotary_base(config: Config) -> float:
    """How slowly the turns grow slower; older and newer configurations say it in two ways."""
    told: dict[str, object] = {}
    for name in ("rope_scaling", "rope_parameters"):
        here = config.get(name, {})
        config.refuse_if(not isinstance(here, dict), f"config.json: {name} is no object")
        told |= here
        for kind in (here.get("rope_type"), here.get("type")):
            config.refuse_if(
                kind not in (None, "default"),
                f"its rotary positions are scaled ({str(kind)[:60]!r}), which is not supported",
            )
    config.refuse_if(
        any(isinstance(value, dict) for value in told.values()),
        "its layers have rotary positions of several kinds, which is not supported",
    )
    own = Config({**config.values, **told})
    config.refuse_if(
        own.number("partial_rotary_factor", 1.0) != 1.0,
        "only a part of its queries and keys is turned, which is not supported",
    )
    return own.number("rope_theta", 10_000.0)


LLAMA = Family("Llama", ("llama", "mistral", "qwen2"), spec, NAMES)
