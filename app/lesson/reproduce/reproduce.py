"""Computes a view of Headwise again, and draws it: `python reproduce.py`, with NumPy alone.

Beside this file lie `view.json` (what was looked at), `view.npz` (the weights behind it and the
numbers it showed), `style.css` (its colours) and `app/` (Headwise's own code for both).
"""

# %% What was looked at
import json
from pathlib import Path

import numpy as np

from app.attention import AttentionWeights, Intervention, Transformer, forward
from app.attention.measure import merge_pieces
from app.attention.transformer import Layer, Linear, Norm
from app.picture.heatmap import Axis
from app.picture.standalone import embedded
from app.picture.whole import Heads, whole

HERE = Path(globals().get("__file__", "reproduce.py")).parent
view = json.loads((HERE / "view.json").read_text(encoding="utf-8"))
numbers = np.load(HERE / "view.npz")


# %% The model, from its weights
def layer(index: int) -> Layer:
    def of(name: str) -> np.ndarray:
        found: np.ndarray = numbers[f"layers.{index}.{name}"]
        return found

    return Layer(
        Norm(of("attention_norm.gain"), of("attention_norm.bias"), view["epsilon"]),
        AttentionWeights(
            view["n_heads"], of("qkv"), of("qkv_bias"), of("output"), of("output_bias")
        ),
        Norm(of("ffn_norm.gain"), of("ffn_norm.bias"), view["epsilon"]),
        Linear(of("ffn_hidden.weight"), of("ffn_hidden.bias")),
        Linear(of("ffn_output.weight"), of("ffn_output.bias")),
    )


# Of the embedding only the rows of this sentence are here: its tokens are counted anew.
d_model = numbers["tokens"].shape[1]
model = Transformer(
    numbers["tokens"],
    numbers["positions"],
    tuple(layer(index) for index in range(view["layer"] + 1)),
    Norm(np.ones(d_model, np.float32), np.zeros(d_model, np.float32)),
    np.zeros(len(numbers["tokens"]), np.float32),
)

# %% The heads at work
intervention = Intervention(
    causal=view["causal"],
    heads_off=frozenset((at, head) for at, head in view["off"] if at <= view["layer"]),
    scaled=view["scaled"],
)
read = forward(
    model, range(len(view["labels"])), last_layer=view["layer"], intervention=intervention
)
trace = read.trace(view["layer"])
maps = trace.weighted_by_length if view["weighted"] else trace.weights
weights = maps[view["head"]]
print(np.array2string(weights, precision=2, suppress_small=True))

# %% The figure
axis = Axis(view["labels"], view["word_of"], view["queries"])
rows = merge_pieces(maps, view["word_of"])[:, view["word"]]
figure = whole(view["show"], Heads(maps, view["head"], axis, rows, view["words"]))
rules = (HERE / "style.css").read_text(encoding="utf-8")
(HERE / "map.svg").write_text(embedded(figure, rules, view["title"]), encoding="utf-8")

# %% The same, to the bit
same = np.array_equal(maps, numbers["maps"])
print(
    "the same numbers, to the bit" if same else "NumPy here computes otherwise in the last digits"
)
