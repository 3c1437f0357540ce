"""The chosen head's view as files: figure, numbers, and a way to compute both again."""

import csv
import io
import json
import zipfile
from typing import Any

import numpy as np

from app.attention.transformer import Layer, intervened_attention
from app.attention.weights import AttentionWeights, Matrix
from app.lesson.labs.compare import compare
from app.lesson.labs.lab_state import LabState
from app.lesson.reproduce import archive_files, view_metadata
from app.picture.composite import HeadSet, figure_svg, overview
from app.picture.standalone import standalone_svg

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
MAX_LAYER_BYTES = 64_000_000
"""Bytes of attention weights that an archive may hold."""

HIDDEN_TOKENS_NOTE = " Special tokens are hidden, rows renormalised."

ZIP_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
"""Archives carry no time, so that one view is always one archive."""


def figure_title(state: LabState) -> str:
    card = state.model.card
    note = HIDDEN_TOKENS_NOTE if state.controls.hide_special_tokens else ""
    return (
        f"Headwise: {card.id} ({card.kind}), layer {state.layer}, head {state.head}, on"
        f" “{state.sentence.text}”. Rows ask, columns answer.{note}"
    )


def file_stem(state: LabState) -> str:
    """A name for files that tells the view without its sentence."""
    return f"{state.model.card.id}-layer{state.layer}-head{state.head}"


def svg(state: LabState, layout: str, css: str) -> str:
    """The picture of the view, with nothing left outside it; `layout` is one of `LAYOUTS`."""
    if layout == "overview":
        return standalone_svg(overview(state.all_maps), css, figure_title(state))
    heads = HeadSet(state.maps, state.head, state.axis, *state.query_word_attention)
    return standalone_svg(figure_svg(layout, heads), css, figure_title(state))


def difference_svg(state: LabState, css: str) -> str:
    """The chosen head's map minus that of the other. Raises `ValueError` if none is chosen."""
    comparison = compare(state)
    if comparison is None:
        raise ValueError("No head is chosen to compare with: choose one under “Compare”.")
    title = f"{figure_title(state.displayed)} Minus head {comparison.head} of {comparison.model}."
    return standalone_svg(comparison.map, css, title)


def as_csv(state: LabState) -> str:
    """Rows are queries, columns keys. What a spreadsheet would take for a formula is quoted."""
    labels = [_escape_formula(label) for label in state.axis.labels]
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(["query \\ key", *labels])
    for label, row in zip(labels, state.maps[state.head].tolist(), strict=True):
        table.writerow([label, *(repr(float(np.float32(weight))) for weight in row)])
    return out.getvalue()


def _escape_formula(label: str) -> str:
    return f"'{label}" if label.startswith(FORMULA_PREFIXES) else label


def as_json(state: LabState) -> str:
    """What was looked at, and every intermediate of the chosen head, of the tokens it shows."""
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
    metadata = view_metadata(state, "map", figure_title(state)) | {"text": state.sentence.text}
    return json.dumps(metadata | lists, ensure_ascii=False) + "\n"


def arrays(state: LabState) -> dict[str, Matrix]:
    """The maps, every intermediate of the layer, and the weights that they come from.

    Of a checkpoint these are the attention weights of the layer on show, which with its inputs `X`
    make the maps. Raises `ValueError` if they are too large to be handed out.
    """
    trace = state.trace
    result: dict[str, Matrix] = {
        "maps": state.maps,
        "X": trace.X,
        "Q": trace.Q,
        "K": trace.K,
        "V": trace.V,
        "scores": trace.scores,
        "weights": trace.weights,
    }
    model = state.model.transformer
    if state.archive_starts_at_layer:
        layer_arrays = attention_arrays(trace.W)
        size = sum(array.nbytes for array in layer_arrays.values())
        if size > MAX_LAYER_BYTES:
            raise ValueError(
                f"The attention weights of this layer alone are {size / 1e6:,.0f} MB; no more than"
                f" {MAX_LAYER_BYTES / 1e6:,.0f} MB go into a file. SVG, CSV and JSON are to be had."
            )
        return result | {
            f"layers.{state.layer}.{name}": values for name, values in layer_arrays.items()
        }
    result["tokens"] = model.token_embedding[np.asarray(state.sentence.ids)]
    if model.position_embedding is not None:
        result["positions"] = model.position_embedding
    for index, layer in enumerate(model.layers[: state.layer + 1]):
        attention = intervened_attention(layer, state.intervention)
        layer_arrays = attention_arrays(attention) | norm_and_ffn_arrays(layer)
        result |= {f"layers.{index}.{name}": values for name, values in layer_arrays.items()}
    return result


def attention_arrays(attention: AttentionWeights) -> dict[str, Matrix]:
    """The arrays of a layer's attention, by the names that `reproduce.py` knows."""
    names = ("qkv", "qkv_bias", "output", "output_bias")
    return {name: getattr(attention, name) for name in names}


def norm_and_ffn_arrays(layer: Layer) -> dict[str, Matrix]:
    """Those of a layer's norms and its feed-forward part."""
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


def npz(state: LabState) -> bytes:
    """`arrays` as NumPy's own archive; `np.load` opens it without pickles."""
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays(state))
    return out.getvalue()


def reproduction_archive(state: LabState, layout: str, css: str) -> bytes:
    """A ZIP with a script and a notebook that compute and draw this view again, to the bit; of an
    overview the chosen head.
    """
    layout = "map" if layout == "overview" else layout
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zip_file:
        for name, text in archive_files(state, layout, figure_title(state), css):
            zip_file.writestr(zipfile.ZipInfo(name, ZIP_TIMESTAMP), text, zipfile.ZIP_DEFLATED)
        zip_file.writestr(zipfile.ZipInfo("view.npz", ZIP_TIMESTAMP), npz(state))
    return out.getvalue()
