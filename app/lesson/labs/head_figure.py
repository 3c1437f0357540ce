"""One head as a figure: its map, the chosen word's row as a strip, and what they say in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.attention.metrics import largest_cell, mean_entropy, word_row
from app.attention.weights import Matrix
from app.lesson.labs.lab_state import LabView
from app.picture import downsampled_thumbnail, heatmap, thumbnail, token_links, word_strip


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


INNER = {"inner": True}
"""Marks what a figure is drawn from and does not tell."""


@dataclass(frozen=True)
class HeadFigure:
    """One head: what the chosen word reads in it, two figures of its map, and its pictures, which
    are drawn when a page asks for them.
    """

    head: int
    chosen: bool
    reading: Reading
    mean_entropy: float
    strongest: StrongestLink
    view: LabView = field(metadata=INNER, repr=False)
    weights: Matrix = field(metadata=INNER, repr=False)  # (n, n)
    row: Matrix = field(metadata=INNER, repr=False)  # (n_words,)

    @property
    def layer(self) -> int:
        return self.view.layer

    @property
    def sharing(self) -> tuple[int, ...]:
        """The heads that read the same keys and values, this one among them."""
        group = self.view.group
        first = self.head // group * group
        return tuple(range(first, first + group))

    @property
    def map(self) -> str:
        return draw(self.view, self.weights)

    @property
    def thumb(self) -> str:
        return thumbnail(self.weights)

    @property
    def strip(self) -> str:
        view = self.view
        return word_strip(self.row[view.order], view.spelled, query=view.order.index(view.word))


def draw(view: LabView, weights: Matrix) -> str:
    """One head's (n, n) weights as the view asks for them: as a map, or as lines."""
    return (
        token_links(weights, view.axis)
        if view.controls.show == "lines"
        else heatmap(weights, view.frame)
    )


def maps_of(view: LabView) -> list[str]:
    """The map of every head of the chosen layer."""
    return [draw(view, weights) for weights in view.maps]


@dataclass(frozen=True)
class SmallMap:
    """One head among all of a model."""

    layer: int
    head: int
    chosen: bool
    picture: str


def small_maps(view: LabView) -> tuple[tuple[SmallMap, ...], ...]:
    """A small map for every head of every layer, in a row for each layer."""
    return tuple(
        tuple(
            SmallMap(
                layer,
                head,
                (layer, head) == (view.layer, view.head),
                downsampled_thumbnail(weights),
            )
            for head, weights in enumerate(maps)
        )
        for layer, maps in enumerate(view.all_maps)
    )


def head_figures(view: LabView, maps: Matrix, *, chosen: bool = True) -> tuple[HeadFigure, ...]:
    """A figure for each head of `maps` (n_heads, n, n); none is chosen if `chosen` is false."""
    rows = word_row(maps, view.word_of, view.word)  # (n_heads, n_words)
    entropies = mean_entropy(maps)
    return tuple(
        HeadFigure(
            head,
            chosen and head == view.head,
            _reading(rows[head], view),
            entropies[head],
            _strongest(maps[head], view.axis.labels),
            view,
            maps[head],
            rows[head],
        )
        for head in range(len(maps))
    )


def _reading(row: Matrix, view: LabView) -> Reading:
    """The word that is read most, of equals the first."""
    key = int(row.argmax())
    word, place = view.sentence.words[key], view.sentence.place_if_repeated(key)
    return Reading(word.text, float(row[key]), place, key == view.word)


def _strongest(weights: Matrix, labels: Sequence[str]) -> StrongestLink:
    link = largest_cell(weights)
    return StrongestLink(labels[link.query], labels[link.key], link.weight)
