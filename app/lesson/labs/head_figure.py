"""One head as a figure: its map, the chosen word's row as a strip, and a summary in words."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.attention.metrics import largest_cell, mean_entropy, word_row
from app.attention.weights import Matrix
from app.lesson.json_fields import NOT_IN_JSON, json_name
from app.lesson.labs.hidden_rows import NO_ROWS, HiddenRows
from app.lesson.labs.lab_state import LabState
from app.picture import (
    Area,
    HeatmapLayout,
    downsampled_thumbnail,
    format_signed,
    format_weight,
    heatmap,
    thumbnail,
    token_links,
    word_strip,
)


@dataclass(frozen=True)
class TopWord:
    """The word that the chosen word reads most, and its weight.

    `ordinal` is the place of the word, counted from 1, if the sentence repeats it, else None.
    """

    word: str
    weight: float
    ordinal: int | None = field(metadata=json_name("place"))
    is_self: bool


@dataclass(frozen=True)
class LabelledCell:
    """A cell of a map with the texts of its tokens."""

    query: str
    key: str
    weight: float


@dataclass(frozen=True)
class HeadFigure:
    """One head: a summary of its map, and its pictures, which are drawn on access."""

    head: int
    chosen: bool
    top_word: TopWord = field(metadata=json_name("reading"))
    mean_entropy: float
    largest_cell: LabelledCell = field(metadata=json_name("strongest"))
    state: LabState = field(metadata=NOT_IN_JSON, repr=False)
    weights: Matrix = field(metadata=NOT_IN_JSON, repr=False)  # (n, n)
    row: Matrix = field(metadata=NOT_IN_JSON, repr=False)  # (n_words,)
    columns: int = field(metadata=NOT_IN_JSON, repr=False)

    @property
    def name(self) -> str:
        """What the figure shows, in a sentence."""
        return f"Head {self.head}: {_reading(self.top_word, self.state)}"

    def name_without(self, hidden_rows: Collection[int]) -> str:
        """Return the name of the map without some rows: without the word that is read most if it is
        hidden.
        """
        is_hidden = not set(self.state.query_rows).isdisjoint(hidden_rows)
        return f"Head {self.head}" if is_hidden else self.name

    def name_of_difference(self, difference: Matrix, title: str) -> str:
        """Return the name of a map of differences (n, n) with their largest in size."""
        row, column = np.unravel_index(np.abs(difference).argmax(), difference.shape)
        query, key = self.state.tokens[row].text, self.state.tokens[column].text
        largest = format_signed(float(difference[row, column]))
        return f"{title}: largest difference where {query} reads {key}, {largest}"

    @property
    def heatmap_layout(self) -> HeatmapLayout:
        """The layout of the map: see `head_figures`."""
        is_alone = self.columns == 1
        return (
            self.state.heatmap_layout if is_alone else HeatmapLayout(self.state.axis, self.columns)
        )

    @property
    def layer(self) -> int:
        return self.state.layer

    @property
    def kv_group(self) -> tuple[int, ...]:
        """The heads with the same keys and values, including this one."""
        size = self.state.group_size
        first = self.head // size * size
        return tuple(range(first, first + size))

    @property
    def map(self) -> str:
        return self.picture()

    def picture(self, hidden_rows: Collection[int] = ()) -> str:
        """Return the map without the hidden rows, with what decides the answer outlined.

        A map too small to read becomes a thumbnail.
        """
        if self.state.controls.layout == "lines" and not hidden_rows:
            return token_links(self.weights, self.state.axis)
        name = self.name_without(hidden_rows)
        if not (self.heatmap_layout.fits or self.heatmap_layout.scrolls):
            return downsampled_thumbnail(_without_rows(self.weights, hidden_rows), name)
        marked = marked_areas(self.state, self.head)
        return heatmap(self.weights, self.heatmap_layout, marked, hidden_rows, name=name)

    @property
    def thumbnail(self) -> str:
        """The map without labels; the caller names it by `name`."""
        return thumbnail(self.weights)

    @property
    def strip(self) -> str:
        state = self.state
        return word_strip(
            self.row[state.word_indices],
            state.word_texts,
            query=state.word_indices.index(state.word),
        )


def marked_areas(state: LabState, head: int) -> list[Area]:
    """Return the cells, rows and columns of one head's map that are marked."""
    index_of = {token: index for index, token in enumerate(state.visible_indices)}
    areas = []
    for mark in state.marks_of(head):
        ranges = [
            range(len(index_of)) if token is None else _visible_range(index_of, token)
            for token in (mark.row, mark.column)
        ]
        if all(ranges) and (mark.row, mark.column) != (None, None):
            areas.append(Area(*ranges))
    return areas


def _visible_range(index_of: Mapping[int, int], token: int) -> range:
    """Return the row or column of a token, an empty range if maps do not show it."""
    index = index_of.get(token)
    return range(0) if index is None else range(index, index + 1)


def draw(state: LabState, weights: Matrix, marked: Sequence[Area] = ()) -> str:
    """Return the picture of one head's weights (n, n), as lines if that layout is chosen."""
    return (
        token_links(weights, state.axis)
        if state.controls.layout == "lines"
        else heatmap(weights, state.heatmap_layout, marked)
    )


@dataclass(frozen=True)
class HeadThumbnail:
    """The small map of one head of a model; `name` says in a sentence what it shows."""

    layer: int
    head: int
    chosen: bool
    picture: str
    name: str


def head_thumbnails(
    state: LabState, hidden_rows: Sequence[HiddenRows] | None = None
) -> tuple[tuple[HeadThumbnail, ...], ...]:
    """Return a row for each layer, with the small map of each of its heads.

    `hidden_rows` are the rows that the maps of each layer leave out, by head.
    """
    return tuple(
        _layer_thumbnails(state, layer, maps, hidden_rows[layer] if hidden_rows else NO_ROWS)
        for layer, maps in enumerate(state.all_maps)
    )


def _layer_thumbnails(
    state: LabState, layer: int, maps: Matrix, hidden_rows: HiddenRows
) -> tuple[HeadThumbnail, ...]:
    rows = word_row(maps, state.word_of, state.word)  # (n_heads, n_words)
    thumbnails = []
    for head, weights in enumerate(maps):
        hidden, name = hidden_rows.get(head, ()), f"Layer {layer}, head {head}"
        if set(state.query_rows).isdisjoint(hidden):
            name += f": {_reading(_top_word(rows[head], state), state)}"
        picture = downsampled_thumbnail(_without_rows(weights, hidden))
        is_chosen = (layer, head) == (state.layer, state.head)
        thumbnails.append(HeadThumbnail(layer, head, is_chosen, picture, name))
    return tuple(thumbnails)


def _without_rows(weights: Matrix, rows: Collection[int]) -> Matrix:
    """Return weights (n, n) with zeros in `rows`."""
    if not rows:
        return weights
    weights = weights.copy()
    weights[list(rows)] = 0
    return weights


def head_figures(
    state: LabState, maps: Matrix, *, chosen: bool = True, columns: int = 1
) -> tuple[HeadFigure, ...]:
    """Return a figure for each head of `maps` (n_heads, n, n).

    `chosen` is false for the heads of a model that is not the selected one. `columns` is the number
    of maps that stand side by side: see `HeatmapLayout`.
    """
    rows = word_row(maps, state.word_of, state.word)  # (n_heads, n_words)
    entropies = mean_entropy(maps)
    return tuple(
        HeadFigure(
            head,
            chosen and head == state.head,
            _top_word(rows[head], state),
            entropies[head],
            _largest_cell(maps[head], state.axis.labels),
            state,
            maps[head],
            rows[head],
            columns,
        )
        for head in range(len(maps))
    )


def layer_figures(state: LabState) -> tuple[HeadFigure, ...]:
    """Return the figures of all heads of the view's layer, the same ones at every call."""
    figures: tuple[HeadFigure, ...] | None = state.memo.get("layer_figures")
    if figures is None:
        figures = state.memo["layer_figures"] = head_figures(state, state.maps)
    return figures


def _top_word(row: Matrix, state: LabState) -> TopWord:
    """Return the word with the largest weight in `row` (n_words,), the first of equal ones."""
    key = int(row.argmax())
    word, ordinal = state.sentence.words[key], state.sentence.ordinal_if_repeated(key)
    return TopWord(word.text, float(row[key]), ordinal, key == state.word)


def _reading(top_word: TopWord, state: LabState) -> str:
    """Return what the chosen word reads most, and with which weight."""
    verb = "gets" if state.controls.weighted else "reads"
    key = "itself" if top_word.is_self else top_word.word
    if top_word.ordinal is not None and not top_word.is_self:
        key += f" (word {top_word.ordinal})"
    return f"{state.query_word} {verb} {key} most, {format_weight(top_word.weight)}"


def _largest_cell(weights: Matrix, labels: Sequence[str]) -> LabelledCell:
    cell = largest_cell(weights)
    return LabelledCell(labels[cell.query], labels[cell.key], cell.weight)
