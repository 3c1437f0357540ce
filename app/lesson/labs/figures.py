"""One head as a figure: its map, the chosen word's row as a strip, and what they say in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.attention.measure import merge_pieces, row_entropy, strongest_link
from app.attention.weights import Matrix
from app.lesson.labs.base import LabView
from app.picture import Axis, HeatmapFrame, heatmap, strip, thumbnail, token_lines


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
    thumb: str
    strip: str
    reading: Reading
    mean_entropy: float
    strongest: StrongestLink


def axis_of(view: LabView) -> Axis:
    """The tokens along both sides of a map, those of the chosen word marked."""
    labels = [token.text for token in view.sentence.tokens]
    return Axis(labels, view.sentence.word_of, view.queries)


def frame_of(view: LabView) -> HeatmapFrame:
    """What all maps of a sentence have in common, the chosen word's rows framed."""
    return HeatmapFrame(axis_of(view))


def draw(view: LabView, weights: Matrix, frame: HeatmapFrame) -> str:
    """One head's (n, n) weights as the view asks for them: as a map, or as lines."""
    return token_lines(weights, axis_of(view)) if view.controls.lines else heatmap(weights, frame)


def head_figures(
    view: LabView, maps: Matrix, frame: HeatmapFrame, *, chosen: bool = True
) -> tuple[HeadFigure, ...]:
    """A figure for each head of `maps` (n_heads, n, n); none is chosen if `chosen` is false."""
    rows = merge_pieces(maps, view.sentence.word_of)[:, view.word, :]  # (n_heads, n_words)
    entropies = row_entropy(maps).mean(axis=-1)
    words = [word.text for word in view.sentence.words]
    axis = axis_of(view)
    return tuple(
        HeadFigure(
            head,
            chosen and head == view.head,
            draw(view, maps[head], frame),
            thumbnail(maps[head]),
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


def largest_entropy(view: LabView) -> float:
    """The entropy of a row that reads every token the same, in bits."""
    return float(np.log2(len(view.sentence.tokens)))
