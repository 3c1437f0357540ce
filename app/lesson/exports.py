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
from app.lesson.labs.lab_state import LabView
from app.lesson.reproduce import archive, facts
from app.picture.composite import HeadSet, figure_svg, overview
from app.picture.standalone import standalone_svg

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
LARGEST_LAYER = 64_000_000
"""Bytes of attention weights that an archive may hold."""

HIDDEN = " Special tokens are hidden, rows renormalised."

A_DAY = (1980, 1, 1, 0, 0, 0)
"""Archives carry no time, so that one view is always one archive."""


def title_of(view: LabView) -> str:
    card = view.model.card
    return (
        f"Headwise: {card.id} ({card.source}), layer {view.layer}, head {view.head}, on"
        f" “{view.sentence.text}”. Rows ask, columns answer.{HIDDEN if view.controls.hide else ''}"
    )


def name_of(view: LabView) -> str:
    """A name for files that tells the view without its sentence."""
    return f"{view.model.card.id}-layer{view.layer}-head{view.head}"


def svg(view: LabView, show: str, rules: str) -> str:
    """The picture of the view, with nothing left outside it; `show` is one of `SHOWS`."""
    if show == "overview":
        return standalone_svg(overview(view.all_maps), rules, title_of(view))
    heads = HeadSet(view.maps, view.head, view.axis, *view.read_by_word)
    return standalone_svg(figure_svg(show, heads), rules, title_of(view))


def difference(view: LabView, rules: str) -> str:
    """The chosen head's map minus that of the other. Raises `ValueError` if none is chosen."""
    compared = compare(view)
    if compared is None:
        raise ValueError("No head is chosen to compare with: choose one under “Compare”.")
    title = f"{title_of(view.shown)} Minus head {compared.head} of {compared.model}."
    return standalone_svg(compared.map, rules, title)


def as_csv(view: LabView) -> str:
    """Rows are queries, columns keys. What a spreadsheet would take for a formula is quoted."""
    labels = [_harmless(label) for label in view.axis.labels]
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(["query \\ key", *labels])
    for label, row in zip(labels, view.maps[view.head].tolist(), strict=True):
        table.writerow([label, *(repr(float(np.float32(weight))) for weight in row)])
    return out.getvalue()


def _harmless(label: str) -> str:
    return f"'{label}" if label.startswith(STARTS_A_FORMULA) else label


def as_json(view: LabView) -> str:
    """What was looked at, and every intermediate of the chosen head, of the tokens it shows."""
    trace, head, kept = view.trace, view.head, view.kept
    chosen: dict[str, Any] = {
        "weights": view.seen(trace.weights[head]),
        "scores": view.seen(trace.scores[head]),
        "scaled": view.seen(trace.scaled[head]),
        "q": trace.Q[head][kept],
        "k": trace.K[head][kept],
        "v": trace.V[head][kept],
        "contribution": trace.contributions[head][kept],
    }
    if view.controls.weighted:
        chosen["weighted_by_length"] = view.seen(trace.norm_weighted[head])
    if view.controls.hide:
        chosen["map"] = view.maps[head]
    plain = {name: values.tolist() for name, values in chosen.items()}
    shown = facts(view, "map", title_of(view)) | {"text": view.sentence.text}
    return json.dumps(shown | plain, ensure_ascii=False) + "\n"


def arrays(view: LabView) -> dict[str, Matrix]:
    """The maps, every intermediate of the layer, and the weights that they come from.

    Of a checkpoint these are the attention weights of the layer on show, which with its inputs `X`
    make the maps. Raises `ValueError` if they are too large to be handed out.
    """
    trace = view.trace
    found: dict[str, Matrix] = {
        "maps": view.maps,
        "X": trace.X,
        "Q": trace.Q,
        "K": trace.K,
        "V": trace.V,
        "scores": trace.scores,
        "weights": trace.weights,
    }
    model = view.model.transformer
    if view.from_inputs:
        parts = attention_parts(trace.W)
        size = sum(part.nbytes for part in parts.values())
        if size > LARGEST_LAYER:
            raise ValueError(
                f"The attention weights of this layer alone are {size / 1e6:,.0f} MB; no more than"
                f" {LARGEST_LAYER / 1e6:,.0f} MB go into a file. SVG, CSV and JSON are to be had."
            )
        return found | {f"layers.{view.layer}.{name}": values for name, values in parts.items()}
    found["tokens"] = model.token_embedding[np.asarray(view.sentence.ids)]
    if model.position_embedding is not None:
        found["positions"] = model.position_embedding
    for index, layer in enumerate(model.layers[: view.layer + 1]):
        attention = intervened_attention(layer, view.intervention)
        parts = attention_parts(attention) | other_parts(layer)
        found |= {f"layers.{index}.{name}": values for name, values in parts.items()}
    return found


def attention_parts(attention: AttentionWeights) -> dict[str, Matrix]:
    """The arrays of a layer's attention, by the names that `reproduce.py` knows."""
    names = ("qkv", "qkv_bias", "output", "output_bias")
    return {name: getattr(attention, name) for name in names}


def other_parts(layer: Layer) -> dict[str, Matrix]:
    """Those of a layer's norms and its feed-forward part."""
    parts = {
        "attention_norm.gain": layer.attention_norm.gain,
        "attention_norm.bias": getattr(layer.attention_norm, "bias", None),
        "ffn_norm.gain": layer.ffn_norm.gain,
        "ffn_norm.bias": getattr(layer.ffn_norm, "bias", None),
        "ffn_hidden.weight": layer.ffn_hidden.weight,
        "ffn_hidden.bias": layer.ffn_hidden.bias,
        "ffn_output.weight": layer.ffn_output.weight,
        "ffn_output.bias": layer.ffn_output.bias,
    }
    return {name: values for name, values in parts.items() if values is not None}


def npz(view: LabView) -> bytes:
    """`arrays` as NumPy's own archive; `np.load` opens it without pickles."""
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays(view))
    return out.getvalue()


def reproduction(view: LabView, show: str, rules: str) -> bytes:
    """A ZIP with a script and a notebook that compute and draw this view again, to the bit; of an
    overview the chosen head.
    """
    show = "map" if show == "overview" else show
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in archive(view, show, title_of(view), rules):
            file.writestr(zipfile.ZipInfo(name, A_DAY), text, zipfile.ZIP_DEFLATED)
        file.writestr(zipfile.ZipInfo("view.npz", A_DAY), npz(view))
    return out.getvalue()
