"""BERT. Source: Devlin et al. 2019; names as in transformers' `BertForMaskedLM`."""

from app.models.checkpoints.architecture import Architecture, Spec, TensorNames
from app.models.checkpoints.config import Config

LAYER = "encoder.layer.{i}."
NAMES = TensorNames(
    prefixes=("bert.", ""),
    token_embedding="embeddings.word_embeddings.weight",
    position_embedding="embeddings.position_embeddings.weight",
    token_type_embedding="embeddings.token_type_embeddings.weight",
    embedding_norm="embeddings.LayerNorm",
    qkv=tuple(f"{LAYER}attention.self.{part}" for part in ("query", "key", "value")),
    output=f"{LAYER}attention.output.dense",
    attention_norm=f"{LAYER}attention.output.LayerNorm",
    ffn_hidden=f"{LAYER}intermediate.dense",
    ffn_output=f"{LAYER}output.dense",
    ffn_norm=f"{LAYER}output.LayerNorm",
    lm_head_transform="cls.predictions.transform.dense",
    lm_head_norm="cls.predictions.transform.LayerNorm",
    lm_head="cls.predictions.decoder",
    lm_head_bias=("cls.predictions.bias", "cls.predictions.decoder.bias"),
)


def read_spec(config: Config) -> Spec:
    kind = config.get("position_embedding_type", "absolute")
    config.reject_if(
        kind != "absolute", f"its positions are {kind!r}; only absolute positions are supported"
    )
    config.reject_if(config.get("is_decoder"), "it is a decoder, which is not supported")
    config.reject_if(config.get("pruned_heads"), "some heads are pruned, which is not supported")
    n_heads, d_model = config.size("num_attention_heads"), config.size("hidden_size")
    return Spec(
        n_layers=config.size("num_hidden_layers"),
        n_heads=n_heads,
        n_kv_heads=n_heads,
        d_model=d_model,
        d_head=d_model // n_heads,
        d_hidden=config.size("intermediate_size"),
        vocabulary=config.size("vocab_size"),
        max_tokens=config.size("max_position_embeddings"),
        activation=config.activation("hidden_act", "gelu"),
        epsilon=config.number("layer_norm_eps", 1e-12),
        pre_norm=False,
        causal=False,
        tied_embeddings=config.flag("tie_word_embeddings", default=True),
    )


BERT = Architecture("BERT", ("bert",), read_spec, NAMES)
