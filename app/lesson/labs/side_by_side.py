"""Lab: the heads of two models beside one another on the same sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.attention.measure import merge_pieces, row_entropy, strongest_link
from app.attention.weights import Matrix
from app.lesson.labs.base import LabView
from app.models import Card, Model
from app.picture import Axis, HeatmapFrame, heatmap, strip


@dataclass(frozen=True)
class Reading:
    """The word that is read most, and how much.

    `place` counts words from 1 and is given only where the same word stands elsewhere too.
    """

    word: str
    weight: float
    place: int | None
    is_self: bool


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
    reading: Reading
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
    scrolls: bool
    largest_entropy: float


def side_by_side(view: LabView) -> SideBySide:
    """The model in `options["beside"]` first, then the chosen one; once if they are the same.

    An untrained model stands beside an untrained one.
    """
    beside = view.models[view.options["beside"]]
    beside = view.models.like(beside, view.model.card.source) or beside
    models = [view.model] if beside is view.model else [beside, view.model]
    tokens = view.sentence.tokens
    queries = [index for index, token in enumerate(tokens) if token.word == view.word]
    axis = Axis([token.text for token in tokens], view.sentence.word_of, queries)
    frame = HeatmapFrame(axis)
    return SideBySide(
        tuple(Panel(model.card, _figures(view, model, axis, frame)) for model in models),
        view.sentence.words[view.word].text,
        frame.scrolls,
        float(np.log2(len(tokens))),
    )


def _figures(
    view: LabView, model: Model, axis: Axis, frame: HeatmapFrame
) -> tuple[HeadFigure, ...]:
    maps = model.read(view.sentence, last_layer=view.layer).weights[view.layer]
    rows = merge_pieces(maps, view.sentence.word_of)[:, view.word, :]  # (n_heads, n_words)
    entropies = row_entropy(maps).mean(axis=-1)
    words = [word.text for word in view.sentence.words]
    return tuple(
        HeadFigure(
            head,
            model is view.model and head == view.head,
            heatmap(maps[head], frame),
            strip(rows[head], words, query=view.word),
            _reading(rows[head], view),
            float(entropies[head]),
            _strongest(maps[head], axis.labels),
        )
        for head in range(len(maps))
    )


def _reading(row: Matrix, view: LabView) -> Reading:
    """The word that is read most, of equals the first."""
    key = int(row.argmax())
    word, place = view.sentence.words[key], view.sentence.place_if_repeated(key)
    return Reading(word.text, float(row[key]), place, key == view.word)


def _strongest(weights: Matrix, labels: Sequence[str]) -> StrongestLink:
    link = strongest_link(weights)
    return StrongestLink(labels[link.query], labels[link.key], link.weight)
