"""Lab: every head measured on this sentence, beside its record on a treebank."""

from dataclasses import dataclass

import numpy as np

from app.attention.metrics import diagonal_mean, mean_distance, row_entropy
from app.attention.weights import Matrix
from app.evaluation.report import Evidence, Finding, Share
from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabView

SCORES = ("previous", "next", "itself", "same word")
SPECIAL = "special tokens"
"""One more score where a model adds tokens of its own."""


@dataclass(frozen=True)
class Score:
    """A share of 0 to 1 on this sentence, and on the shuffled one."""

    name: str
    here: float
    shuffled: float


@dataclass(frozen=True)
class Record:
    """The head's best relation on the treebank, and the best fixed distance it is held against."""

    finding: Finding
    offset: int
    offset_share: Share
    found: bool


@dataclass(frozen=True)
class HeadMeasures:
    head: int
    scores: tuple[Score, ...]
    entropy: float
    distance: float
    labels: tuple[str, ...]
    record: Record | None


@dataclass(frozen=True)
class Measures:
    """`heads` are figures of the sentence that is shown: the shuffled one if it was asked for.
    `treebank` and `licence` are those of the record, empty if there is none.
    """

    measures: tuple[HeadMeasures, ...]
    heads: tuple[HeadFigure, ...]
    sentence: str
    treebank: str
    licence: str


def measures(view: LabView) -> Measures:
    maps, moved = view.maps, view.moved
    scores, moved_scores = head_scores(view), head_scores(moved)
    evidence = view.model.evidence
    entropy, distance = row_entropy(maps).mean(axis=-1), mean_distance(maps)
    rows = tuple(
        HeadMeasures(
            head,
            tuple(
                Score(name, float(scores[i, head]), float(moved_scores[i, head]))
                for i, name in enumerate(score_names(view))
            ),
            float(entropy[head]),
            float(distance[head]),
            *record_of(evidence, view.layer, head),
        )
        for head in range(len(maps))
    )
    shown = view.shown
    heads = head_figures(shown, shown.maps)
    treebank, licence = (evidence.treebank, evidence.licence) if evidence else ("", "")
    return Measures(rows, heads, shown.sentence.text, treebank, licence)


def has_specials(view: LabView) -> bool:
    """Whether maps show special tokens."""
    return any(token.special for token in view.tokens)


def score_names(view: LabView) -> tuple[str, ...]:
    return (*SCORES, SPECIAL) if has_specials(view) else SCORES


def head_scores(view: LabView) -> Matrix:
    """Mean weight on the previous token, the next, itself, other tokens spelled the same, and
    special tokens if there are any in the maps: (scores, n_heads).
    """
    maps = view.maps
    texts = np.array([token.text.lower() for token in view.tokens])
    same = (texts[:, None] == texts) & ~np.eye(len(texts), dtype=bool)
    scores = [
        diagonal_mean(maps, -1),
        diagonal_mean(maps, 1),
        diagonal_mean(maps, 0),
        (maps * same).sum(axis=-1).mean(axis=-1),
    ]
    if has_specials(view):
        special = [token.special for token in view.tokens]
        scores.append(maps[..., special].sum(axis=-1).mean(axis=-1))
    return np.stack(scores)


def record_of(
    evidence: Evidence | None, layer: int, head: int
) -> tuple[tuple[str, ...], Record | None]:
    """The labels that a head's record supports, and its best relation against its baseline."""
    if evidence is None:
        return (), None
    record = next(each for each in evidence.heads if (each.layer, each.head) == (layer, head))
    best = max(record.findings, key=evidence.margin)
    baselines = evidence.baselines_of(best)
    return tuple(evidence.labels(record)), Record(
        best, baselines.offset, baselines.offset_share, best.beats(baselines)
    )
