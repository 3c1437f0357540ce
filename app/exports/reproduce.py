"""Computes a view of Headwise again, and draws it: `python reproduce.py`, with NumPy alone.

Beside this file lie `view.json` (what was looked at), `view.npz` (the weights behind it and the
numbers it showed), `style.css` (its colours) and `app/` (Headwise's own code for both).
"""

# %% What was looked at
import json
from pathlib import Path

import numpy as np

from app.attention import (
    AttentionWeights,
    Intervention,
    Trace,
    Transformer,
    causal_mask,
    fast,
    forward,
)
from app.attention.metrics import select_and_renormalise, word_row
from app.attention.rope import Rotary
from app.attention.transformer import Layer, LayerNorm, Linear
from app.picture.composite import HeadSet, figure_svg
from app.picture.heatmap import Axis
from app.picture.standalone import standalone_svg

HERE = Path(globals().get("__file__", "reproduce.py")).parent
view = json.loads((HERE / "view.json").read_text(encoding="utf-8"))
arrays = np.load(HERE / "view.npz")


# %% The model, from its weights
def layer_array(layer: int, name: str) -> np.ndarray:
    array: np.ndarray = arrays[f"layers.{layer}.{name}"]
    return array


def attention_of(layer: int) -> AttentionWeights:
    return AttentionWeights(
        view["n_heads"],
        layer_array(layer, "qkv"),
        layer_array(layer, "qkv_bias"),
        layer_array(layer, "output"),
        layer_array(layer, "output_bias"),
        view["n_kv_heads"],
        Rotary(view["rotary_base"]) if view["rotary_base"] else None,
    )


def norm_of(layer: int, name: str) -> LayerNorm:
    return LayerNorm(
        layer_array(layer, f"{name}.gain"), layer_array(layer, f"{name}.bias"), view["epsilon"]
    )


def linear_of(layer: int, name: str) -> Linear:
    return Linear(layer_array(layer, f"{name}.weight"), layer_array(layer, f"{name}.bias"))


def layer_of(index: int) -> Layer:
    hidden, output = linear_of(index, "ffn_hidden"), linear_of(index, "ffn_output")
    return Layer(
        norm_of(index, "attention_norm"),
        attention_of(index),
        norm_of(index, "ffn_norm"),
        hidden,
        output,
    )


def trace_from_tokens(layer: int, intervention: Intervention) -> Trace:
    """Of the embedding only the rows of this sentence are here: its tokens are counted anew."""
    layers = tuple(layer_of(index) for index in range(layer + 1))
    model = Transformer(arrays["tokens"], arrays["positions"], layers, norm=None, lm_head=None)
    tokens = range(len(arrays["tokens"]))
    return forward(model, tokens, last_layer=layer, intervention=intervention).trace(layer)


def trace_from_inputs(layer: int, intervention: Intervention) -> Trace:
    """A checkpoint is too large to be here whole: its layer begins with what entered it."""
    X, W = arrays["X"], attention_of(layer)
    mask = causal_mask(len(X)) if intervention.causal else None
    query, key, _ = fast.projections(X, W, scaled=intervention.scaled)
    weights = fast.attention_weights(query, key, mask)
    return Trace(X, W, mask, intervention.ablated_heads_in(layer), intervention.scaled, weights)


# %% The heads at work
intervention = Intervention(
    causal=view["causal"],
    ablated_heads=frozenset((at, head) for at, head in view["off"] if at <= view["layer"]),
    scaled=view["scaled"],
)
trace = (trace_from_inputs if view["from_inputs"] else trace_from_tokens)(
    view["layer"], intervention
)
maps = trace.norm_weighted if view["weighted"] else trace.weights
if view["kept"] is not None:
    maps = select_and_renormalise(maps, view["kept"])
weights = maps[view["head"]]
print(np.array2string(weights, precision=2, suppress_small=True))

# %% The figure
axis = Axis(view["labels"], view["word_of"], view["queries"])
rows = word_row(maps, view["word_of"], view["word"])[:, view["order"]]
figure = figure_svg(view["show"], HeadSet(maps, view["head"], axis, rows, view["words"]))
css = (HERE / "style.css").read_text(encoding="utf-8")
(HERE / "map.svg").write_text(standalone_svg(figure, css, view["title"]), encoding="utf-8")

# %% The same, to the bit
is_identical = np.array_equal(maps, arrays["maps"])
print(
    "the same numbers, to the bit"
    if is_identical
    else "NumPy here computes otherwise in the last digits"
)
