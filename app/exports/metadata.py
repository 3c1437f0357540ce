"""Titles, file names and metadata of exported files."""

from typing import Any

from app.lesson import LabState

HIDDEN_TOKENS_NOTE = " Special tokens are hidden, rows renormalised."


def figure_title(state: LabState) -> str:
    """Return the title of an exported figure: model, layer, head and sentence."""
    note = HIDDEN_TOKENS_NOTE if state.controls.hide_special_tokens else ""
    return f"{_provenance(state)}. Rows ask, columns answer.{note}"


def row_title(state: LabState) -> str:
    """Return the title of an exported row figure; it shows all tokens, special ones included."""
    return f"{_provenance(state)}. What “{state.query_word}” reads, and what the layer adds to it."


def _provenance(state: LabState) -> str:
    card = state.model.card
    return (
        f"Headwise: {card.id} ({card.kind}), layer {state.layer}, head {state.head}, on"
        f" “{state.sentence.text}”"
    )


def file_stem(state: LabState) -> str:
    """Return a file name without suffix. It never contains the sentence, which may be private."""
    return f"{state.model.card.id}-layer{state.layer}-head{state.head}"


def view_metadata(state: LabState, layout: str) -> dict[str, Any]:
    """Return everything except arrays that `reproduce.py` needs to recompute a view.

    Text typed by learners appears only in `title`, `labels` and `words`.
    """
    transformer = state.model.transformer
    rotary = transformer.layers[0].attention.rotary
    return {
        "title": figure_title(state),
        "model": state.model.card.id,
        "source": state.model.card.kind,
        "weights_sha256": state.model.weights_sha256,
        "layer": state.layer,
        "head": state.head,
        "n_heads": state.model.card.n_heads,
        "n_kv_heads": state.groups or state.model.card.n_kv_heads,
        "epsilon": transformer.layers[0].attention_norm.epsilon,
        "from_inputs": state.archive_starts_at_layer,
        "rotary_base": rotary.base if rotary else None,
        "labels": list(state.axis.labels),
        "word_of": list(state.axis.word_of),
        "queries": list(state.axis.queries),
        "causal": state.controls.causal or state.model.card.causal,
        "scaled": not state.controls.unscaled,
        "weighted": state.controls.weighted,
        "kept": state.visible_indices if state.controls.hide_special_tokens else None,
        "off": sorted(state.controls.off),
        "groups": state.groups,
        "show": layout,
        "word": state.word,
        "words": [word.text for word in state.words],
        "order": [word.index for word in state.words],
    }
