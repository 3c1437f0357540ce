"""Multi-head attention and transformers in NumPy.

`textbook` is the reference form, `fast` the optimised one, and `trace` has every intermediate of a
layer. `layers`, `transformer` and `forward_pass` compute a whole model, `intervention` describes
changes to a forward pass, and `metrics` measures attention weights.
"""

from app.attention.forward_pass import ForwardPass, forward
from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.random_init import untrained_copy
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
from app.attention.transformer import Transformer
from app.attention.weights import AttentionWeights

__all__ = [
    "NO_INTERVENTION",
    "AttentionWeights",
    "ForwardPass",
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
