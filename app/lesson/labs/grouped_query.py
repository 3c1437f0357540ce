"""Lab: keys and values shared by groups of heads, and the memory that this saves."""

from dataclasses import dataclass, field, replace

import numpy as np

from app.attention.source_listing import textbook_listing
from app.evaluation.report import KvPoolingLoss
from app.lesson.json_fields import NOT_IN_JSON, json_name
from app.lesson.labs.head_figure import HeadFigure, layer_figures
from app.lesson.labs.lab_state import LabState
from app.lesson.labs.row_figure import RowFigure, row_figure
from app.lesson.options import CacheSizes, Options

BYTES_PER_NUMBER = 2


class PublishedModel(CacheSizes):
    """A published model; `source` is the paper with its sizes."""

    name: str
    source: str


class GroupedQueryOptions(Options):
    """The models in the table of cache sizes."""

    real_models: tuple[PublishedModel, ...]


@dataclass(frozen=True)
class CacheRow:
    """Numbers in the cache of a model for the sentence; megabytes for 1,000 tokens in 16 bits."""

    model: PublishedModel
    numbers: int
    without_sharing: int
    megabytes: float


@dataclass(frozen=True)
class SharedHead:
    """A head with its own keys and with shared ones, for the chosen word.

    shared: the head's figure with shared keys, None before the answer is revealed.
    keeps: whether the word that it reads most stays the same; None like `shared`.
    """

    own: HeadFigure
    shared: HeadFigure | None
    keeps: bool | None


@dataclass(frozen=True)
class GroupedQueryResult:
    """Maps with pooled keys and values, and cache sizes of published models.

    groupings: the possible numbers of groups.
    heads: the figures of the view, as trained or with pooled keys and values.
    pairs: each head as trained and with `compared_groups` groups, which are one group for all heads
        if the view is as trained; empty if the model has one group anyway.
    row: the row of the chosen head, with all queries that share its keys and values.
    max_change: for each head, the largest change of a weight from trained to the view.
    losses: what pooling costs this model, empty if that was not measured.
    code: the textbook implementation.
    """

    groupings: tuple[int, ...]
    heads: tuple[HeadFigure, ...]
    pairs: tuple[SharedHead, ...] = field(metadata=NOT_IN_JSON)
    compared_groups: int = field(metadata=NOT_IN_JSON)
    row: RowFigure = field(metadata=NOT_IN_JSON)
    max_change: tuple[float, ...] = field(metadata=json_name("moved"))
    losses: tuple[KvPoolingLoss, ...]
    cache: tuple[CacheRow, ...]
    n_tokens: int
    code: str

    @property
    def loss(self) -> KvPoolingLoss | None:
        """What the compared groups cost this model, None if that was not measured."""
        return next((each for each in self.losses if each.groups == self.compared_groups), None)

    @property
    def keeping(self) -> tuple[SharedHead, ...]:
        """The heads that keep the word that they read most."""
        return tuple(pair for pair in self.pairs if pair.keeps)


def grouped_query(state: LabState) -> GroupedQueryResult:
    as_trained = _with_groups(state, 0)
    n = len(state.sentence.tokens)
    published_models = GroupedQueryOptions.model_validate(state.options).real_models
    n_kv_heads = state.model.card.n_kv_heads
    evidence = state.models.evidence_of(state.model)
    compared_groups = state.controls.groups or 1
    return GroupedQueryResult(
        tuple(groups for groups in range(1, n_kv_heads + 1) if n_kv_heads % groups == 0),
        layer_figures(state),
        _pairs(state, as_trained, compared_groups) if n_kv_heads > 1 else (),
        compared_groups,
        row_figure(state, ("kv-sets",)),
        tuple(np.abs(state.maps - as_trained.maps).max(axis=(1, 2)).tolist()),
        evidence.pooled if evidence else (),
        tuple(
            CacheRow(
                model,
                model.kv_cache_size(n),
                model.unshared.kv_cache_size(n),
                model.kv_cache_size(1_000) * BYTES_PER_NUMBER / 1e6,
            )
            for model in published_models
        ),
        n,
        textbook_listing(),
    )


def _with_groups(state: LabState, groups: int) -> LabState:
    if groups == state.controls.groups:
        return state
    return replace(state, controls=replace(state.controls, groups=groups))


def _pairs(state: LabState, as_trained: LabState, groups: int) -> tuple[SharedHead, ...]:
    own = layer_figures(as_trained)
    pooled = _with_groups(state, groups)
    if pooled.groups != groups:
        return tuple(SharedHead(figure, None, None) for figure in own)
    shared = layer_figures(pooled)
    return tuple(
        SharedHead(before, after, _read_word(before) == _read_word(after))
        for before, after in zip(own, shared, strict=True)
    )


def _read_word(figure: HeadFigure) -> tuple[str, int | None]:
    """Return what identifies the word that the chosen word reads most."""
    return figure.top_word.word, figure.top_word.ordinal
