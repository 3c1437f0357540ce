"""Lab: keys and values shared by groups of heads, and what that saves in real models."""

from dataclasses import dataclass, replace

import numpy as np

from app.attention.source_listing import textbook_listing
from app.evaluation.report import Pooled
from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabView
from app.lesson.options import CacheSizes, Options

BYTES = 2


class RealModel(CacheSizes):
    """A published model, and where its sizes were published."""

    name: str
    source: str


class SharingOptions(Options):
    """What a step gives this lab: the rows of its table."""

    real_models: tuple[RealModel, ...]


@dataclass(frozen=True)
class CacheRow:
    """`megabytes` are for 1,000 tokens in 16-bit numbers, with sharing as the model has it."""

    model: RealModel
    numbers: int
    without_sharing: int
    megabytes: float


@dataclass(frozen=True)
class Sharing:
    """`moved` is how far each head's map moves by pooling, as the largest change of a weight."""

    groupings: tuple[int, ...]
    heads: tuple[HeadFigure, ...]
    moved: tuple[float, ...]
    losses: tuple[Pooled, ...]
    cache: tuple[CacheRow, ...]
    n_tokens: int
    code: str


def sharing(view: LabView) -> Sharing:
    as_trained = replace(view, controls=replace(view.controls, groups=0)).maps
    n = len(view.sentence.tokens)
    models = SharingOptions.model_validate(view.options).real_models
    n_sets = view.model.card.n_sets
    return Sharing(
        tuple(groups for groups in range(1, n_sets + 1) if n_sets % groups == 0),
        head_figures(view, view.maps),
        tuple(np.abs(view.maps - as_trained).max(axis=(1, 2)).tolist()),
        view.model.evidence.pooled if view.model.evidence else (),
        tuple(
            CacheRow(
                model,
                model.cached(n),
                model.unshared.cached(n),
                model.cached(1_000) * BYTES / 1e6,
            )
            for model in models
        ),
        n,
        textbook_listing(),
    )
