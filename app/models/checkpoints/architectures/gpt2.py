"""GPT-2. Matrices are stored (in, out), query, key and value as one.

Source: Radford et al. 2019; names as in transformers' `GPT2LMHeadModel`.
"""

from app.models.checkpoints.architecture import Architecture, Spec, TensorNames
from app.models.checkpoints.config import Config

NAMES = TensorNames(
    prefixes=("transformer.", ""),
    token_embedding="wte.weight",
    position_embedding="wpe.weight",
    attention_norm="h.{i}.ln_1",
    qkv=("h.{i}.attn.c_attn",),
    output="h.{i}.attn.c_proj",
    ffn_norm="h.{i}.ln_2",
    ffn_hidden="h.{i}.mlp.c_fc",
    ffn_output="h.{i}.mlp.c_proj",
    norm="ln_f",
    lm_head="lm_head",
    stored_in_out=True,
)


def read_spec(config: Config) -> Spec:
    config.reject_if(
        not config.flag("scale_attn_weights", default=True)
        or config.flag("scale_attn_by_inverse_layer_idx", default=False),
        "its attention scores are not scaled by 1/√d_head alone, which is not supported",
    )
    config.reject_if(
        config.get("add_cross_attention"), "it has cross-attention, which is not supported"
    )
    n_heads, d_model = config.size("n_head"), config.size("n_embd")
    return Spec(
        n_layers=config.size("n_layer"),
        n_heads=n_heads,
        n_kv_heads=n_heads,
        d_model=d_model,
        d_head=d_model // n_heads,
        d_hidden=config.size("n_inner", 4 * d_model),
        vocabulary=config.size("vocab_size"),
        max_tokens=config.size("n_positions", 1024),
        activation=config.activation("activation_function", "gelu_new"),
        epsilon=config.number("layer_norm_epsilon", 1e-5),
        pre_norm=True,
        causal=True,
        tied_embeddings=config.flag("tie_word_embeddings", default=True),
        has_lm_head=config.has_lm_head(),
    )


GPT2 = Architecture("GPT-2", ("gpt2",), read_spec, NAMES)
