"""RoBERTa: BERT with another LM head and positions that start after that of the padding token.

Source: Liu et al. 2019; names as in transformers' `RobertaForMaskedLM`.
"""

from dataclasses import replace

from app.models.checkpoints.architecture import Architecture, Spec
from app.models.checkpoints.architectures import bert
from app.models.checkpoints.config import Config

NAMES = replace(
    bert.NAMES,
    prefixes=("roberta.", ""),
    lm_head_transform="lm_head.dense",
    lm_head_norm="lm_head.layer_norm",
    lm_head="lm_head.decoder",
    lm_head_bias=("lm_head.bias", "lm_head.decoder.bias"),
)


def read_spec(config: Config) -> Spec:
    padding = config.get("pad_token_id", 1)
    config.reject_if(
        isinstance(padding, bool) or not isinstance(padding, int) or padding < 0,
        "config.json: pad_token_id is not a token id",
    )
    bert_spec = bert.read_spec(config)
    first = padding + 1
    config.reject_if(
        bert_spec.max_tokens <= first, "it has no positions after that of the padding token"
    )
    return replace(
        bert_spec,
        first_position=first,
        max_tokens=bert_spec.max_tokens - first,
        lm_head_activation="gelu",  # whatever the layers have
    )


ROBERTA = Architecture("RoBERTa", ("roberta",), read_spec, NAMES)
