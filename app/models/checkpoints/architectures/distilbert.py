"""DistilBERT: BERT without token types, with other names.

Source: Sanh et al. 2019; names as in transformers' `DistilBertForMaskedLM`.
"""

from app.models.checkpoints.architecture import Architecture, Spec, TensorNames
from app.models.checkpoints.config import Config

LAYER = "transformer.layer.{i}."
NAMES = TensorNames(
    prefixes=("distilbert.", ""),
    token_embedding="embeddings.word_embeddings.weight",
    position_embedding="embeddings.position_embeddings.weight",
    embedding_norm="embeddings.LayerNorm",
    qkv=tuple(f"{LAYER}attention.{part}_lin" for part in "qkv"),
    output=f"{LAYER}attention.out_lin",
    attention_norm=f"{LAYER}sa_layer_norm",
    ffn_hidden=f"{LAYER}ffn.lin1",
    ffn_output=f"{LAYER}ffn.lin2",
    ffn_norm=f"{LAYER}output_layer_norm",
    lm_head_transform="vocab_transform",
    lm_head_norm="vocab_layer_norm",
    lm_head="vocab_projector",
    lm_head_bias=("vocab_projector.bias",),
)


def read_spec(config: Config) -> Spec:
    config.reject_if(config.get("pruned_heads"), "some heads are pruned, which is not supported")
    n_heads, d_model = config.size("n_heads"), config.size("dim")
    return Spec(
        n_layers=config.size("n_layers"),
        n_heads=n_heads,
        n_kv_heads=n_heads,
        d_model=d_model,
        d_head=d_model // n_heads,
        d_hidden=config.size("hidden_dim"),
        vocabulary=config.size("vocab_size"),
        max_tokens=config.size("max_position_embeddings"),
        activation=config.activation("activation", "gelu"),
        epsilon=1e-12,
        pre_norm=False,
        causal=False,
        tied_embeddings=config.flag("tie_word_embeddings", default=True),
    )


DISTILBERT = Architecture("DistilBERT", ("distilbert",), read_spec, NAMES)
