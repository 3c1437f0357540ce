"""The chosen head's view as files: figure, numbers, and a way to compute both again."""

import csv
import io
import json
import zipfile
from typing import Any

import numpy as np

from app.attention.contrast import with_shared_keys
from app.attention.measure import merge_pieces
from app.attention.weights import Matrix
from app.lesson.labs.base import LabView
from app.lesson.labs.compare import compare
from app.lesson.reproduce import archive, facts
from app.picture.standalone import embedded
from app.picture.whole import Heads, whole

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
A_DAY = (1980, 1, 1, 0, 0, 0)
"""Archives carry no time, so that one view is always one archive."""


def title_of(view: LabView) -> str:
    card = view.model.card
    return (
        f"Headwise: {card.id} ({card.source}), layer {view.layer}, head {view.head}, on"
        f" “{view.sentence.text}”. Rows ask, columns answer."
    )


def name_of(view: LabView) -> str:
    """A name for files that tells the view without its sentence."""
    return f"{view.model.card.id}-layer{view.layer}-head{view.head}"


def svg(view: LabView, show: str, rules: str) -> str:
    """The picture of the view, with nothing left outside it; `show` is one of `SHOWS`."""
    rows = merge_pieces(view.maps, view.sentence.word_of)[:, view.word]
    words = [word.text for word in view.sentence.words]
    heads = Heads(view.maps, view.head, view.axis, rows, words)
    return embedded(whole(show, heads), rules, title_of(view))


def difference(view: LabView, rules: str) -> str:
    """The chosen head's map minus that of the other. Raises `ValueError` if none is chosen."""
    compared = compare(view)
    if compared is None:
        raise ValueError("No head is chosen to compare with: choose one under “Compare”.")
    title = f"{title_of(view.shown)} Minus head {compared.head} of {compared.model}."
    return embedded(compared.map, rules, title)


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
    """What was looked at, and every intermediate of the chosen head."""
    trace, head = view.trace, view.head
    chosen: dict[str, Any] = {
        "weights": trace.weights[head],
        "scores": trace.scores[head],
        "scaled": trace.scaled[head],
        "q": trace.Q[head],
        "k": trace.K[head],
        "v": trace.V[head],
        "contribution": trace.contributions[head],
    }
    if view.controls.weighted:
        chosen["weighted_by_length"] = trace.weighted_by_length[head]
    plain = {name: values.tolist() for name, values in chosen.items()}
    shown = facts(view, "map", title_of(view)) | {"text": view.sentence.text}
    return json.dumps(shown | plain, ensure_ascii=False) + "\n"


def arrays(view: LabView) -> dict[str, Matrix]:
    """The maps, every intermediate of the layer, and the weights that they come from."""
    trace = view.trace
    transformer = view.model.transformer
    if view.controls.groups:
        transformer = with_shared_keys(transformer, view.controls.groups)
    found: dict[str, Matrix] = {
        "maps": view.maps,
        "X": trace.X,
        "Q": trace.Q,
        "K": trace.K,
        "V": trace.V,
        "scores": trace.scores,
        "weights": trace.weights,
        "tokens": transformer.tokens[np.asarray(view.sentence.ids)],
        "positions": transformer.positions,
    }
    for index, layer in enumerate(transformer.layers[: view.layer + 1]):
        parts: dict[str, Matrix] = {
            "attention_norm.gain": layer.attention_norm.gain,
            "attention_norm.bias": layer.attention_norm.bias,
            "qkv": layer.attention.qkv,
            "qkv_bias": layer.attention.qkv_bias,
            "output": layer.attention.output,
            "output_bias": layer.attention.output_bias,
            "ffn_norm.gain": layer.ffn_norm.gain,
            "ffn_norm.bias": layer.ffn_norm.bias,
            "ffn_hidden.weight": layer.ffn_hidden.weight,
            "ffn_hidden.bias": layer.ffn_hidden.bias,
            "ffn_output.weight": layer.ffn_output.weight,
            "ffn_output.bias": layer.ffn_output.bias,
        }
        found |= {f"layers.{index}.{name}": values for name, values in parts.items()}
    return found


def npz(view: LabView) -> bytes:
    """`arrays` as NumPy's own archive; `np.load` opens it without pickles."""
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays(view))
    return out.getvalue()


def reproduction(view: LabView, show: str, rules: str) -> bytes:
    """A ZIP with a script and a notebook that compute and draw this view again, to the bit."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in archive(view, show, title_of(view), rules):
            file.writestr(zipfile.ZipInfo(name, A_DAY), text, zipfile.ZIP_DEFLATED)
        file.writestr(zipfile.ZipInfo("view.npz", A_DAY), npz(view))
    return out.getvalue()
