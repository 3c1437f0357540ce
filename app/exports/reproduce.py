"""Recompute a view of Headwise and draw its figure: `python reproduce.py`. It needs only NumPy.

The same folder contains `view.json` (the settings of the view), `view.npz` (its weights and the
numbers it showed), `style.css` (the figure's style) and `app/` (Headwise's code that computes and
draws).
"""

# %% The view
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
from app.attention.layers import Layer, LayerNorm, Linear
from app.attention.metrics import select_and_renormalise, word_row
from app.attention.rope import Rotary
from app.picture.composite import HeadSet, figure_svg
from app.picture.map_layout import Axis
from app.picture.standalone import standalone_svg

HERE = Path(globals().get("__file__", "reproduce.py")).parent
view = json.loads((HERE / "view.json").read_text(encoding="utf-8"))
arrays = np.load(HERE / "view.npz")


# %% The model
def layer_array(layer: int, name: str) -> np.ndarray:
    array: np.ndarray = arrays[f"layers.{layer}.{name}"]
    return array


def build_attention(layer: int) -> AttentionWeights:
    return AttentionWeights(
        view["n_heads"],
        layer_array(layer, "qkv"),
        layer_array(layer, "qkv_bias"),
        layer_array(layer, "output"),
        layer_array(layer, "output_bias"),
        view["n_kv_heads"],
        Rotary(view["rotary_base"]) if view["rotary_base"] else None,
    )


def build_norm(layer: int, name: str) -> LayerNorm:
    return LayerNorm(
        layer_array(layer, f"{name}.gain"), layer_array(layer, f"{name}.bias"), view["epsilon"]
    )


def build_linear(layer: int, name: str) -> Linear:
    return Linear(layer_array(layer, f"{name}.weight"), layer_array(layer, f"{name}.bias"))


def build_layer(index: int) -> Layer:
    return Layer(
        build_norm(index, "attention_norm"),
        build_attention(index),
        build_norm(index, "ffn_norm"),
        build_linear(index, "ffn_hidden"),
        build_linear(index, "ffn_output"),
    )


def trace_from_tokens(layer: int, intervention: Intervention) -> Trace:
    """Run the model up to `layer`.

    `view.npz` has only this sentence's rows of the token embedding, so token ids are 0, 1, 2, …
    """
    layers = tuple(build_layer(index) for index in range(layer + 1))
    model = Transformer(arrays["tokens"], arrays["positions"], layers, norm=None, lm_head=None)
    tokens = range(len(arrays["tokens"]))
    return forward(model, tokens, last_layer=layer, intervention=intervention).trace(layer)


def trace_from_inputs(layer: int, intervention: Intervention) -> Trace:
    """Run the attention of `layer` alone on its stored input `X`.

    `view.npz` has only this layer of a checkpoint, which may be too large to store whole.
    """
    X, W = arrays["X"], build_attention(layer)
    mask = causal_mask(len(X)) if intervention.causal else None
    query, key, _ = fast.projections(X, W, scaled=intervention.scaled)
    weights = fast.attention_weights(query, key, mask)
    return Trace(X, W, mask, intervention.ablated_heads_in(layer), intervention.scaled, weights)


# %% The attention maps
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

# %% Comparison with the stored maps
is_identical = np.array_equal(maps, arrays["maps"])
print(
    "The maps are identical to those of Headwise, bit for bit."
    if is_identical
    else "The maps differ from those of Headwise: NumPy rounds differently on this machine."
)
