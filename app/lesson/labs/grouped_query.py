"""Lab: keys and values shared by groups of heads, and the memory that this saves."""

from dataclasses import dataclass, field, replace

import numpy as np

from app.attention.source_listing import textbook_listing
from app.evaluation.report import KvPoolingLoss
from app.lesson.json_fields import json_name
from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabState
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
class GroupedQueryResult:
    """Maps with pooled keys and values, and cache sizes of published models.

    groupings: the possible numbers of groups.
    max_change: for each head, the largest change of a weight by pooling.
    losses: what pooling costs this model, empty if that was not measured.
    code: the textbook implementation.
    """

    groupings: tuple[int, ...]
    heads: tuple[HeadFigure, ...]
    max_change: tuple[float, ...] = field(metadata=json_name("moved"))
    losses: tuple[KvPoolingLoss, ...]
    cache: tuple[CacheRow, ...]
    n_tokens: int
    code: str


def grouped_query(state: LabState) -> GroupedQueryResult:
    as_trained = replace(state, controls=replace(state.controls, groups=0)).maps
    n = len(state.sentence.tokens)
    published_models = GroupedQueryOptions.model_validate(state.options).real_models
    n_kv_heads = state.model.card.n_kv_heads
    evidence = state.models.evidence_of(state.model)
    return GroupedQueryResult(
        tuple(groups for groups in range(1, n_kv_heads + 1) if n_kv_heads % groups == 0),
        head_figures(state, state.maps),
        tuple(np.abs(state.maps - as_trained).max(axis=(1, 2)).tolist()),
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
