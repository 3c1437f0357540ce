"""BERT. Source: Devlin et al. 2019; names as in transformers' `BertForMaskedLM`."""

from app.models.checkpoints.architecture import Family, Names, Spec
from app.models.checkpoints.config import Config

LAYER = "encoder.layer.{i}."
NAMES = Names(
    prefixes=("bert.", ""),
    tokens="embeddings.word_embeddings",
    positions="embeddings.position_embeddings",
    token_types="embeddings.token_type_embeddings",
    embedding_norm="embeddings.LayerNorm",
    qkv=tuple(f"{LAYER}attention.self.{part}" for part in ("query", "key", "value")),
    output=f"{LAYER}attention.output.dense",
    attention_norm=f"{LAYER}attention.output.LayerNorm",
    ffn_hidden=f"{LAYER}intermediate.dense",
    ffn_output=f"{LAYER}output.dense",
    ffn_norm=f"{LAYER}output.LayerNorm",
    transform="cls.predictions.transform.dense",
    transform_norm="cls.predictions.transform.LayerNorm",
    words="cls.predictions.decoder",
    words_bias=("cls.predictions.bias", "cls.predictions.decoder.bias"),
)


def spec(config: Config) -> Spec:
    kind = config.get("position_embedding_type", "absolute")
    config.refuse_if(kind != "absolute", f"its positions are {kind!r}; only absolute ones are read")
    config.refuse_if(config.get("is_decoder"), "it is a decoder, which is not read of this family")
    config.refuse_if(config.get("pruned_heads"), "some of its heads are pruned, which is not read")
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
        norm_first=False,
        causal=False,
        tied=config.flag("tie_word_embeddings", default=True),
    )


BERT = Family("BERT", ("bert",), spec, NAMES)
