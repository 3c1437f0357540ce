"""Lab: metrics of every head on this sentence and on a treebank."""

from dataclasses import dataclass, field

import numpy as np

from app.attention.metrics import diagonal_mean, mean_distance, row_entropy
from app.attention.weights import Matrix
from app.evaluation.report import Evidence, Finding, Share
from app.lesson.json_fields import json_name
from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabState

POSITIONS = ("previous", "next", "itself", "same word")
SPECIAL_TOKENS = "special tokens"
"""An additional score for models that add special tokens."""


@dataclass(frozen=True)
class PositionWeight:
    """A mean weight, 0 to 1, on this sentence and on the shuffled one."""

    name: str
    here: float
    shuffled: float


@dataclass(frozen=True)
class TreebankRecord:
    """A head's best relation on the treebank, and the best fixed offset as its baseline."""

    finding: Finding
    offset: int
    offset_share: Share
    found: bool


@dataclass(frozen=True)
class HeadMetricsRow:
    """The metrics of one head: entropy in bits, distance in tokens.

    `labels` and `record` come from the treebank; `record` is None if the model was not measured.
    """

    head: int
    position_weights: tuple[PositionWeight, ...] = field(metadata=json_name("scores"))
    entropy: float
    distance: float
    labels: tuple[str, ...]
    record: TreebankRecord | None


@dataclass(frozen=True)
class HeadMetricsResult:
    """The metrics of every head, and figures of the displayed sentence.

    `sentence` is the displayed text. `treebank` and `licence` are empty if the model was not
    measured.
    """

    metrics: tuple[HeadMetricsRow, ...] = field(metadata=json_name("measures"))
    heads: tuple[HeadFigure, ...]
    sentence: str
    treebank: str
    licence: str


def head_metrics(state: LabState) -> HeadMetricsResult:
    maps, shuffled = state.maps, state.shuffled
    scores, shuffled_scores = mean_position_weights(state), mean_position_weights(shuffled)
    evidence = state.models.evidence_of(state.model)
    entropy, distance = row_entropy(maps).mean(axis=-1), mean_distance(maps)
    rows = tuple(
        HeadMetricsRow(
            head,
            tuple(
                PositionWeight(name, float(scores[i, head]), float(shuffled_scores[i, head]))
                for i, name in enumerate(position_names(state))
            ),
            float(entropy[head]),
            float(distance[head]),
            *treebank_record(evidence, state.layer, head),
        )
        for head in range(len(maps))
    )
    displayed = state.displayed
    heads = head_figures(displayed, displayed.maps)
    treebank, licence = (evidence.treebank, evidence.licence) if evidence else ("", "")
    return HeadMetricsResult(rows, heads, displayed.sentence.text, treebank, licence)


def shows_special_tokens(state: LabState) -> bool:
    """Whether there are special tokens in the maps."""
    return any(token.special for token in state.tokens)


def position_names(state: LabState) -> tuple[str, ...]:
    return (*POSITIONS, SPECIAL_TOKENS) if shows_special_tokens(state) else POSITIONS


def mean_position_weights(state: LabState) -> Matrix:
    """Return the weights of `position_names`, (n_positions, n_heads).

    They are mean weights on the previous token, the next token, the token itself, other tokens with
    the same text, and special tokens if there are any in the maps.
    """
    maps = state.maps
    texts = np.array([token.text.lower() for token in state.tokens])
    same_spelling = (texts[:, None] == texts) & ~np.eye(len(texts), dtype=bool)
    position_weights = [
        diagonal_mean(maps, -1),
        diagonal_mean(maps, 1),
        diagonal_mean(maps, 0),
        (maps * same_spelling).sum(axis=-1).mean(axis=-1),
    ]
    if shows_special_tokens(state):
        is_special = [token.special for token in state.tokens]
        position_weights.append(maps[..., is_special].sum(axis=-1).mean(axis=-1))
    return np.stack(position_weights)


def treebank_record(
    evidence: Evidence | None, layer: int, head: int
) -> tuple[tuple[str, ...], TreebankRecord | None]:
    """Return the labels of a head, and its best relation with the baseline of that relation."""
    if evidence is None:
        return (), None
    head_record = next(each for each in evidence.heads if (each.layer, each.head) == (layer, head))
    best = max(head_record.findings, key=evidence.margin)
    baselines = evidence.baselines_of(best)
    return tuple(evidence.labels(head_record)), TreebankRecord(
        best, baselines.offset, baselines.offset_share, best.beats(baselines)
    )
