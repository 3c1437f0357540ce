"""Lab: every head measured on this sentence, beside its record on a treebank."""

from dataclasses import dataclass

import numpy as np

from app.attention.measure import diagonal_mean, mean_distance, row_entropy
from app.attention.weights import Matrix
from app.lesson.labs.base import LabView
from app.lesson.labs.figures import HeadFigure, head_figures
from app.models import Sentence
from app.models.evidence import Evidence, Finding, Share

SCORES = ("previous", "next", "itself", "same word")


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
    """`heads` are figures of the sentence that is shown: the shuffled one if it was asked for."""

    measures: tuple[HeadMeasures, ...]
    heads: tuple[HeadFigure, ...]
    sentence: str
    measured: bool


def measures(view: LabView) -> Measures:
    maps, moved = view.maps, view.moved
    scores = head_scores(maps, view.sentence)
    moved_scores = head_scores(moved.maps, moved.sentence)
    evidence = view.model.evidence
    entropy, distance = row_entropy(maps).mean(axis=-1), mean_distance(maps)
    rows = tuple(
        HeadMeasures(
            head,
            tuple(
                Score(name, float(scores[i, head]), float(moved_scores[i, head]))
                for i, name in enumerate(SCORES)
            ),
            float(entropy[head]),
            float(distance[head]),
            *record_of(evidence, view.layer, head),
        )
        for head in range(len(maps))
    )
    shown = view.shown
    heads = head_figures(shown, shown.maps)
    return Measures(rows, heads, shown.sentence.text, evidence is not None)


def head_scores(maps: Matrix, sentence: Sentence) -> Matrix:
    """Mean weight on the previous token, the next, itself and other tokens spelled the same:
    (scores, n_heads).
    """
    texts = np.array([token.text.lower() for token in sentence.tokens])
    same = (texts[:, None] == texts) & ~np.eye(len(texts), dtype=bool)
    return np.stack(
        [
            diagonal_mean(maps, -1),
            diagonal_mean(maps, 1),
            diagonal_mean(maps, 0),
            (maps * same).sum(axis=-1).mean(axis=-1),
        ]
    )


def record_of(
    evidence: Evidence | None, layer: int, head: int
) -> tuple[tuple[str, ...], Record | None]:
    """The labels that a head's record supports, and its best relation against its baseline."""
    if evidence is None:
        return (), None
    record = next(each for each in evidence.heads if (each.layer, each.head) == (layer, head))
    known = {(each.relation, each.direction): each for each in evidence.baselines}

    def margin(finding: Finding) -> float:
        return finding.test.rate - known[finding.relation, finding.direction].rate

    best = max(record.findings, key=margin)
    baselines = known[best.relation, best.direction]
    return tuple(evidence.labels(record)), Record(
        best, baselines.offset, baselines.offset_share, best.beats(baselines)
    )
