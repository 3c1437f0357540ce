"""RoBERTa: BERT's build, with positions that begin after the padding's, and a word head of its own.

Source: Liu et al. 2019; names as in transformers' `RobertaForMaskedLM`.
"""

from dataclasses import replace

from app.models.checkpoints.architecture import Family, Spec
from app.models.checkpoints.architectures import bert
from app.models.checkpoints.config import Config

NAMES = replace(
    bert.NAMES,
    prefixes=("roberta.", ""),
    transform="lm_head.dense",
    transform_norm="lm_head.layer_norm",
    words="lm_head.decoder",
    words_bias=("lm_head.bias", "lm_head.decoder.bias"),
)


def spec(config: Config) -> Spec:
    padding = config.get("pad_token_id", 1)
    config.refuse_if(
        isinstance(padding, bool) or not isinstance(padding, int) or padding < 0,
        "config.json: pad_token_id is no token",
    )
    own = bert.spec(config)
    first = padding + 1
    config.refuse_if(own.max_tokens <= first, "it has no position beyond that of the padding")
    return replace(own, first_position=first, max_tokens=own.max_tokens - first)


ROBERTA = Family("RoBERTa", ("roberta",), spec, NAMES)
