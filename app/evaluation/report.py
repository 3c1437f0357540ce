"""What was measured on the heads of a model, and the labels that the measurements support."""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from pathlib import Path
from typing import Literal

from pydantic import Field

from app.models.model import Model
from app.models.record import Record

MARGIN = 0.05
"""A head finds a relation if its rate exceeds that of the best fixed offset and those of untrained
models by this much, and the lower end of its interval is above all of them."""

MIN_POSITION_SHARE = 0.5
"""A head is labelled with a position that has the top word of at least this share of queries."""

MIN_CASES = 50
"""Relations with fewer cases in the test part label no head."""

RELATIONS = {
    "nsubj": ("subject", "predicate"),
    "obj": ("object", "verb"),
    "det": ("determiner", "noun"),
    "amod": ("adjective", "noun"),
    "case": ("preposition", "noun"),
    "aux": ("auxiliary", "verb"),
    "advmod": ("adverb", "what it modifies"),
    "compound": ("compound part", "its noun"),
    "conj": ("conjunct", "first conjunct"),
    "mark": ("subordinator", "its verb"),
    "nmod": ("noun modifier", "noun"),
    "obl": ("oblique noun", "verb"),
    "cop": ("copula", "predicate"),
}
"""Universal Dependencies relations, with readable names of dependent and head."""

POSITIONS = ("previous", "next", "itself", "same word", "first", "punctuation")

POSITION_LABELS = {
    f"{each} word" if each in ("previous", "next", "first") else each: each for each in POSITIONS
}
"""The position that each label of a position names."""

NO_LABEL = "no clear role"

Direction = Literal["dependent to head", "head to dependent"]
DIRECTIONS: tuple[Direction, ...] = ("dependent to head", "head to dependent")


def relation_label(relation: str, direction: Direction) -> str:
    """Return readable names of query and partner, such as "adjective → noun"."""
    dependent, head = RELATIONS[relation]
    pair = (dependent, head) if direction == DIRECTIONS[0] else (head, dependent)
    return " → ".join(pair)


class Share(Record):
    """Number of hits among `n` cases."""

    hits: int
    n: int

    @cached_property
    def rate(self) -> float:
        return self.hits / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson 95 % interval of the rate. Source: Wilson 1927; z = 1.96."""
        if not self.n:
            return 0.0, 1.0
        z, n, p = 1.96, self.n, self.rate
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return centre - half, centre + half


class Baselines(Record):
    """How often a relation is found without training, on the test part.

    `offset` is the fixed distance in words that is best on the dev part, and `offset_share` how
    often the partner is there. `twins` are the rates of untrained models of the same shape, each of
    the head that is best on the dev part.
    """

    relation: str
    direction: Direction
    offset: int
    offset_share: Share
    untrained_rates: tuple[float, ...] = Field(alias="twins")

    @cached_property
    def rate(self) -> float:
        """The highest rate without training."""
        return max(self.offset_share.rate, *self.untrained_rates)


class Finding(Record):
    """How often the top word of a head is the partner of the query in a relation.

    The query itself and punctuation are never the top word here. `dev` and `test` count cases in
    the two parts of the treebank.
    """

    relation: str
    direction: Direction
    dev: Share
    test: Share

    def beats(self, baselines: Baselines) -> bool:
        """Return whether the rate is above the baselines, by `MARGIN` and beyond chance."""
        return (
            self.test.n >= MIN_CASES
            and self.test.rate >= baselines.rate + MARGIN
            and self.test.interval[0] > baselines.rate
        )

    @property
    def label(self) -> str:
        """Readable names of query and partner, such as "adjective → noun"."""
        return relation_label(self.relation, self.direction)


class HeadRecord(Record):
    """Measurements of one head on the test part; layers and heads count from 0.

    By position, `weights` is the mean weight of a query on it, and `tops` the share of queries with
    their top word there. `entropy` in bits and `distance` in words are means over queries.
    `findings` has an entry for each relation and direction. `ablation` is the change of the loss in
    nats when the output of the head is zeroed, and `ablation_half` half the width of its 95 %
    interval, paired by predicted token; both are null if the loss was not measured.

    `special` is the mean weight of a query on special tokens, null if the model has none. For all
    other values, special tokens are left out and each row of weights is renormalised to sum to 1.
    """

    layer: int
    head: int
    weights: dict[str, float]
    top_word_shares: dict[str, float] = Field(alias="tops")
    entropy: float
    distance: float
    findings: tuple[Finding, ...]
    special: float | None = None
    ablation: float | None = None
    ablation_half: float | None = None


class KvPoolingLoss(Record):
    """Change of the validation loss when K/V projections are averaged into `groups` groups.

    `change` is in nats, and `half` half the width of its 95 % interval, paired by masked token.
    """

    groups: int
    change: float
    half: float


@dataclass(frozen=True)
class BestHead:
    """The head that is best at a relation on the dev part, with its finding and baselines."""

    head: HeadRecord
    finding: Finding
    baselines: Baselines

    @property
    def is_found(self) -> bool:
        """Whether it finds the relation on the test part too."""
        return self.finding.beats(self.baselines)


class Evidence(Record):
    """Everything that was measured on the heads of a model, on the test part of a treebank.

    `sentences` is the number of sentences and `words` that of queries; `left_out` sentences were
    too long for the model. `weights_sha256` identifies the weights, and `command` measures them
    again. By position, `twin_tops` is the largest share of top words that any head of an untrained
    model has there. `pooled` is the loss with shared keys and values. `ablation_text` describes the
    text on which losses without a head were measured, "" for the validation books.
    """

    model: str
    weights_sha256: str
    treebank: str
    licence: str
    sentences: int
    left_out: int
    words: int
    command: str
    heads: tuple[HeadRecord, ...]
    baselines: tuple[Baselines, ...]
    untrained_top_shares: dict[str, float] = Field(alias="twin_tops")
    pooled: tuple[KvPoolingLoss, ...] = ()
    ablation_text: str = ""

    def covers(self, n_layers: int, n_heads: int) -> bool:
        """Return whether there are baselines, and a record of every head of a model this size."""
        measured = [(head.layer, head.head) for head in self.heads]
        expected = [(layer, head) for layer in range(n_layers) for head in range(n_heads)]
        return sorted(measured) == expected and bool(self.baselines)

    def top_word_share(self, head: HeadRecord, position: str) -> Share:
        """Return how many queries have their top word at a position."""
        return Share(hits=round(head.top_word_shares[position] * self.words), n=self.words)

    def found_relations(self, head: HeadRecord) -> list[Finding]:
        """Return the relations that a head finds, largest margin first."""
        found = [each for each in head.findings if each.beats(self.baselines_of(each))]
        return sorted(found, key=self.margin, reverse=True)

    def baselines_of(self, finding: Finding) -> Baselines:
        """Return the baselines of the same relation and direction."""
        return self._baselines[finding.relation, finding.direction]

    @cached_property
    def _baselines(self) -> dict[tuple[str, str], Baselines]:
        return {(each.relation, each.direction): each for each in self.baselines}

    def margin(self, finding: Finding) -> float:
        """Return the rate of a head above the baselines, as a share of the test cases."""
        return finding.test.rate - self.baselines_of(finding).rate

    def record_of(self, layer: int, head: int) -> HeadRecord:
        """Return the record of a head; layers and heads count from 0."""
        return self._records[layer, head]

    @cached_property
    def _records(self) -> dict[tuple[int, int], HeadRecord]:
        return {(each.layer, each.head): each for each in self.heads}

    def labels_of(self, layer: int, head: int) -> tuple[str, ...]:
        """Return `labels` of a head; those of all heads are computed once."""
        return self._labels[layer, head]

    @cached_property
    def _labels(self) -> dict[tuple[int, int], tuple[str, ...]]:
        return {(each.layer, each.head): tuple(self.labels(each)) for each in self.heads}

    def labels(self, head: HeadRecord) -> list[str]:
        """Return the labels that the measurements of a head support, or "no clear role"."""
        labels = [
            label
            for label, position in POSITION_LABELS.items()
            if self._is_mostly_at(head, position)
        ]
        labels += [finding.label for finding in self.found_relations(head)]
        return labels or [NO_LABEL]

    def _is_mostly_at(self, head: HeadRecord, position: str) -> bool:
        share = head.top_word_shares[position]
        return share >= MIN_POSITION_SHARE and share >= self.untrained_top_shares[position] + MARGIN

    @cached_property
    def best_heads(self) -> list[BestHead]:
        """The best head on the dev part for every relation and direction."""
        best = []
        for baselines in self.baselines:
            candidates = [
                BestHead(head, finding, baselines)
                for head in self.heads
                for finding in head.findings
                if (finding.relation, finding.direction)
                == (baselines.relation, baselines.direction)
            ]
            best.append(max(candidates, key=lambda case: case.finding.dev.rate))
        return best

    @cached_property
    def relations_found(self) -> list[str]:
        """Relations found on the test part by the head that is best on the dev part."""
        return list(
            dict.fromkeys(case.finding.relation for case in self.best_heads if case.is_found)
        )


def evidence_file(folder: Path) -> Path:
    """Return the file with the evidence of the model in a folder."""
    return folder / "heads.json"


class EvidenceError(ValueError):
    """A file of evidence is damaged, or does not belong to the model in its folder."""


def read_evidence(model: Model) -> Evidence | None:
    """Read the evidence of a model, None if it was not measured or is an untrained copy.

    Raises `EvidenceError`.
    """
    file = evidence_file(model.folder)
    if model.card.kind == "random" or not file.exists():
        return None
    try:
        evidence = Evidence.model_validate_json(file.read_bytes())
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{file.name} cannot be read: {error}") from error
    if evidence.weights_sha256 != model.weights_sha256:
        raise EvidenceError(f"{file.name} was measured with other weights; measure the heads again")
    if not evidence.covers(model.card.n_layers, model.card.n_heads):
        raise EvidenceError(
            f"{file.name} does not describe every head of this model; measure the heads again"
        )
    return evidence
