"""The chosen head's numbers as CSV, JSON and NumPy arrays."""

import csv
import io
import json
from typing import Any

import numpy as np

from app.attention.forward_pass import intervened_attention
from app.attention.layers import Layer
from app.attention.weights import AttentionWeights, Matrix
from app.exports.metadata import view_metadata
from app.lesson import LabState

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one of these is a formula to a spreadsheet program."""

MAX_LAYER_BYTES = 64_000_000
"""Largest size of a layer's attention weights that a file may contain."""


def to_csv(state: LabState) -> str:
    """Return the chosen head's attention matrix as CSV: rows are queries, columns are keys."""
    labels = [escape_formula(label) for label in state.axis.labels]
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(["query \\ key", *labels])
    for label, row in zip(labels, state.maps[state.head].tolist(), strict=True):
        table.writerow([label, *(repr(float(np.float32(weight))) for weight in row)])
    return out.getvalue()


def escape_formula(label: str) -> str:
    """Return `label` with a leading apostrophe if a spreadsheet program would run it."""
    return f"'{label}" if label.startswith(FORMULA_PREFIXES) else label


def to_json(state: LabState) -> str:
    """Return the view's metadata and every intermediate of the chosen head as JSON.

    Hidden special tokens are left out of every array.
    """
    trace, head, indices = state.trace, state.head, state.visible_indices
    intermediates: dict[str, Any] = {
        "weights": state.visible_part(trace.weights[head]),
        "scores": state.visible_part(trace.scores[head]),
        "scaled": state.visible_part(trace.scaled[head]),
        "q": trace.Q[head][indices],
        "k": trace.K[head][indices],
        "v": trace.V[head][indices],
        "contribution": trace.contributions[head][indices],
    }
    if state.controls.weighted:
        intermediates["weighted_by_length"] = state.visible_part(trace.norm_weighted[head])
    if state.controls.hide_special_tokens:
        intermediates["map"] = state.maps[head]
    lists = {name: values.tolist() for name, values in intermediates.items()}
    metadata = view_metadata(state, "map") | {"text": state.sentence.text}
    return json.dumps(metadata | lists, ensure_ascii=False) + "\n"


def to_npz(state: LabState) -> bytes:
    """Return `view_arrays` in NumPy's NPZ format; `np.load` reads it without pickle."""
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **view_arrays(state))
    return out.getvalue()


def view_arrays(state: LabState) -> dict[str, Matrix]:
    """Return the maps, the layer's intermediates, and the weights that they are computed from.

    For a checkpoint these are only the attention weights of the chosen layer, whose input is `X`.
    Raises ValueError if they are larger than `MAX_LAYER_BYTES`.
    """
    trace = state.trace
    arrays: dict[str, Matrix] = {
        "maps": state.maps,
        "X": trace.X,
        "Q": trace.Q,
        "K": trace.K,
        "V": trace.V,
        "scores": trace.scores,
        "weights": trace.weights,
    }
    if state.archive_starts_at_layer:
        return arrays | _prefixed(state.layer, _limited(attention_arrays(trace.W)))
    model = state.model.transformer
    arrays["tokens"] = model.token_embedding[np.asarray(state.sentence.ids)]
    if model.position_embedding is not None:
        arrays["positions"] = model.position_embedding
    for index, layer in enumerate(model.layers[: state.layer + 1]):
        attention = intervened_attention(layer, state.intervention)
        arrays |= _prefixed(index, attention_arrays(attention) | norm_and_ffn_arrays(layer))
    return arrays


def _prefixed(layer: int, arrays: dict[str, Matrix]) -> dict[str, Matrix]:
    return {f"layers.{layer}.{name}": values for name, values in arrays.items()}


def _limited(arrays: dict[str, Matrix]) -> dict[str, Matrix]:
    size = sum(array.nbytes for array in arrays.values())
    if size > MAX_LAYER_BYTES:
        raise ValueError(
            f"The attention weights of this layer are {size / 1e6:,.0f} MB. A file holds at most"
            f" {MAX_LAYER_BYTES / 1e6:,.0f} MB. Choose SVG, CSV or JSON."
        )
    return arrays


def attention_arrays(attention: AttentionWeights) -> dict[str, Matrix]:
    """Return the attention arrays of a layer under the names that `reproduce.py` reads."""
    names = ("qkv", "qkv_bias", "output", "output_bias")
    return {name: getattr(attention, name) for name in names}


def norm_and_ffn_arrays(layer: Layer) -> dict[str, Matrix]:
    """Return the norm and feed-forward arrays of a layer under the names of `reproduce.py`."""
    arrays_or_none = {
        "attention_norm.gain": layer.attention_norm.gain,
        "attention_norm.bias": getattr(layer.attention_norm, "bias", None),
        "ffn_norm.gain": layer.ffn_norm.gain,
        "ffn_norm.bias": getattr(layer.ffn_norm, "bias", None),
        "ffn_hidden.weight": layer.ffn_hidden.weight,
        "ffn_hidden.bias": layer.ffn_hidden.bias,
        "ffn_output.weight": layer.ffn_output.weight,
        "ffn_output.bias": layer.ffn_output.bias,
    }
    return {name: values for name, values in arrays_or_none.items() if values is not None}
