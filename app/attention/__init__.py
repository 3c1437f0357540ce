"""The attention core: NumPy only, and nothing of the web.

`core` is the textbook, `fast` the same numbers sooner, `trace` every intermediate,
`transformer` the whole model, `intervene` what can be changed, `measure` what can be read off.
"""

from app.attention.intervention import Intervention
from app.attention.textbook import (
    FullyMaskedRowError,
    ScoresOverflowError,
    causal_mask,
    merge_heads,
    multi_head_attention,
    scaled_dot_product_attention,
    softmax,
    split_heads,
)
from app.attention.trace import Trace
from app.attention.transformer import Transformer, forward, untrained_copy
from app.attention.weights import AttentionWeights

__all__ = [
    "AttentionWeights",
    "FullyMaskedRowError",
    "Intervention",
    "ScoresOverflowError",
    "Trace",
    "Transformer",
    "causal_mask",
    "forward",
    "merge_heads",
    "multi_head_attention",
    "scaled_dot_product_attention",
    "softmax",
    "split_heads",
    "untrained_copy",
]
