"""Headwise's own format, in which the shipped models are stored.

A pre-norm encoder with learned positions and a tied LM head. The configuration is the card of the
model; matrices are stored (in, out), query, key and value as one. `training/export.py` writes it.
"""

from app.models.checkpoints.architecture import Architecture, Spec, TensorNames
from app.models.checkpoints.config import Config

LAYER = "layers.{i}."
NAMES = TensorNames(
    prefixes=("",),
    token_embedding="tokens",
    position_embedding="positions",
    attention_norm=f"{LAYER}attention_norm",
    qkv=(f"{LAYER}attention.qkv",),
    output=f"{LAYER}attention.output",
    ffn_norm=f"{LAYER}ffn_norm",
    ffn_hidden=f"{LAYER}ffn_hidden",
    ffn_output=f"{LAYER}ffn_output",
    norm="norm",
    norm_gain=("gain",),
    norm_bias=("bias",),
    lm_head_bias=("logits_bias",),
    stored_in_out=True,
)


def read_spec(card: Config) -> Spec:
    n_heads = card.size("n_heads")
    return Spec(
        n_layers=card.size("n_layers"),
        n_heads=n_heads,
        n_kv_heads=n_heads,
        d_model=card.size("d_model"),
        d_head=card.size("d_head"),
        d_hidden=card.size("d_hidden"),
        vocabulary=card.size("vocabulary"),
        max_tokens=card.size("max_tokens"),
        activation="gelu",
        epsilon=1e-5,
        pre_norm=True,
        causal=False,
        tied_embeddings=True,
    )


# No `model_type`: these files have no config.json, and are not offered as checkpoints.
HEADWISE = Architecture("Headwise", (), read_spec, NAMES)
