"""Lab: the heads of two models beside one another on the same sentence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.attention.measure import merge_pieces, row_entropy, strongest_link
from app.lesson.labs.base import LabView
from app.models import Card, Model
from app.picture import Axis, heatmap, strip


@dataclass(frozen=True)
class Reading:
    """A word that is read, and how much."""

    word: str
    weight: float


@dataclass(frozen=True)
class StrongestLink:
    query: str
    key: str
    weight: float


@dataclass(frozen=True)
class HeadFigure:
    """One head: its map, what the chosen word reads in it, and two figures of the map."""

    head: int
    chosen: bool
    map: str
    strip: str
    readings: tuple[Reading, ...]
    mean_entropy: float
    strongest: StrongestLink


@dataclass(frozen=True)
class Panel:
    model: Card
    heads: tuple[HeadFigure, ...]


@dataclass(frozen=True)
class SideBySide:
    """`largest_entropy` is that of a row that reads every token the same, in bits."""

    panels: tuple[Panel, ...]
    word: str
    word_is_split: bool
    n_tokens: int
    largest_entropy: float


def side_by_side(view: LabView) -> SideBySide:
    """The model in `options["beside"]` first, then the chosen one; once if they are the same."""
    beside = view.models[view.options["beside"]]
    models = [view.model] if beside is view.model else [beside, view.model]
    word = view.sentence.words[view.word]
    n_tokens = len(view.sentence.tokens)
    return SideBySide(
        tuple(Panel(model.card, _figures(view, model)) for model in models),
        word.text,
        word.is_split,
        n_tokens,
        float(np.log2(n_tokens)),
    )


def _figures(view: LabView, model: Model) -> tuple[HeadFigure, ...]:
    maps = model.read(view.sentence, last_layer=view.layer).weights[view.layer]
    rows = merge_pieces(maps, view.sentence.word_of)[:, view.word, :]  # (n_heads, n_words)
    return tuple(
        _figure(view, head, weights, row, chosen=model is view.model and head == view.head)
        for head, (weights, row) in enumerate(zip(maps, rows, strict=True))
    )


def _figure(
    view: LabView,
    head: int,
    weights: NDArray[np.floating],
    row: NDArray[np.floating],
    *,
    chosen: bool,
) -> HeadFigure:
    tokens = view.sentence.tokens
    words = [word.text for word in view.sentence.words]
    labels = [token.text for token in tokens]
    queries = [index for index, token in enumerate(tokens) if token.word == view.word]
    strongest = strongest_link(weights)
    return HeadFigure(
        head,
        chosen,
        heatmap(weights, Axis(labels, view.sentence.word_of), queries=queries),
        strip(row, words, query=view.word),
        tuple(Reading(words[key], float(row[key])) for key in np.argsort(-row, kind="stable")[:2]),
        float(row_entropy(weights).mean()),
        StrongestLink(labels[strongest.query], labels[strongest.key], strongest.weight),
    )
