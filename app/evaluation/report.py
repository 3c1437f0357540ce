"""What is measured of a model's heads on a treebank, and the words that the figures support."""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.models.model import Model

MARGIN = 0.05
"""A head counts as finding a relation if it beats the best fixed offset and the untrained twins by
this much, and the lower end of its interval lies above both."""

MIN_POSITION_SHARE = 0.5
"""A head is named by a place that is the top word of at least this share of its queries."""

MIN_CASES = 50
"""Relations with fewer cases than this in the test part name no head."""

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
"""Universal Dependencies relations, with names of the dependent and of its head."""

POSITIONS = ("previous", "next", "itself", "same word", "first", "punctuation")

NO_LABEL = "no clear role"

Direction = Literal["dependent to head", "head to dependent"]
DIRECTIONS: tuple[Direction, ...] = ("dependent to head", "head to dependent")


class _Record(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True
    )


class Share(_Record):
    """Hits among n cases, with the Wilson 95 % interval.

    Source: Wilson 1927; z = 1.96.
    """

    hits: int
    n: int

    @cached_property
    def rate(self) -> float:
        return self.hits / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        if not self.n:
            return 0.0, 1.0
        z, n, p = 1.96, self.n, self.rate
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return centre - half, centre + half


class Baselines(_Record):
    """What a relation is found by without any training, on the test part.

    `offset` is the fixed distance in words that is best on the dev part; `untrained_rates` are
    those of untrained models of the same shape, each with its own best head on the dev part.
    """

    relation: str
    direction: Direction
    offset: int
    offset_share: Share
    untrained_rates: tuple[float, ...] = Field(alias="twins")

    @cached_property
    def rate(self) -> float:
        """The best that needs no training."""
        return max(self.offset_share.rate, *self.untrained_rates)


class Finding(_Record):
    """How often one head's top word, itself and punctuation set aside, is the gold partner."""

    relation: str
    direction: Direction
    dev: Share
    test: Share

    def beats(self, baselines: Baselines) -> bool:
        """By `MARGIN`, and beyond chance."""
        return (
            self.test.n >= MIN_CASES
            and self.test.rate >= baselines.rate + MARGIN
            and self.test.interval[0] > baselines.rate
        )

    @property
    def label(self) -> str:
        dependent, head = RELATIONS[self.relation]
        pair = (dependent, head) if self.direction == DIRECTIONS[0] else (head, dependent)
        return " → ".join(pair)


class HeadRecord(_Record):
    """One head on the test part; layers and heads count from 0.

    `weights` is the mean weight that a query gives to a place, `top_word_shares` the share of
    queries whose top word is there. Entropy in bits and distance in words are means over all
    queries.
    `ablation` is the change of the loss, in nats, when the head's output is zeroed, and
    `ablation_half` half the width of its 95 % interval, paired over the tokens that were guessed.

    `special` is the mean weight that a query gives to special tokens, None if the model has none.
    All other figures of a model that has some are of what is left: special tokens are no queries,
    and each query's weights on words are brought back to a sum of 1.
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


class KvPoolingLoss(_Record):
    """What averaging the K/V projections into `groups` groups does to the validation loss.

    `change` is in nats, `half` half the width of its 95 % interval, paired over masked tokens.
    """

    groups: int
    change: float
    half: float


@dataclass(frozen=True)
class BestHead:
    """The head that finds a relation best on the dev part, and how it does on the test part."""

    head: HeadRecord
    finding: Finding
    baselines: Baselines

    @property
    def is_found(self) -> bool:
        return self.finding.beats(self.baselines)


class Evidence(_Record):
    """Everything measured of one model; all figures but `dev` are from the test part.

    `words` is the number of queries. `untrained_top_shares` is, for each place, the largest share
    of top words that any head of the untrained twins has there. `ablation_text` says on what losses
    without a head were measured, "" for the validation books of the family.
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
        """Whether it tells of every head of a model of that size, and of what they are held to."""
        measured = [(head.layer, head.head) for head in self.heads]
        expected = [(layer, head) for layer in range(n_layers) for head in range(n_heads)]
        return sorted(measured) == expected and bool(self.baselines)

    def top_word_share(self, head: HeadRecord, position: str) -> Share:
        """How many queries of the test part have their top word at a place."""
        return Share(hits=round(head.top_word_shares[position] * self.words), n=self.words)

    def found_relations(self, head: HeadRecord) -> list[Finding]:
        """The relations that a head finds above all baselines, widest margin first."""
        found = [each for each in head.findings if each.beats(self.baselines_of(each))]
        return sorted(found, key=self.margin, reverse=True)

    def baselines_of(self, finding: Finding) -> Baselines:
        """What is found of the same relation without any training."""
        return self._baselines[finding.relation, finding.direction]

    @cached_property
    def _baselines(self) -> dict[tuple[str, str], Baselines]:
        return {(each.relation, each.direction): each for each in self.baselines}

    def margin(self, finding: Finding) -> float:
        """By how much a head beats them, as a share of the test part."""
        return finding.test.rate - self.baselines_of(finding).rate

    def labels(self, head: HeadRecord) -> list[str]:
        """What may be printed on a head; "no clear role" if the figures support nothing."""
        position_labels = [f"{place} word" if place in ("previous", "next", "first") else place
                  for place in POSITIONS if self._is_mostly_at(head, place)]  # fmt: skip
        return position_labels + [finding.label for finding in self.found_relations(head)] or [
            NO_LABEL
        ]

    def _is_mostly_at(self, head: HeadRecord, position: str) -> bool:
        share = head.top_word_shares[position]
        return share >= MIN_POSITION_SHARE and share >= self.untrained_top_shares[position] + MARGIN

    @cached_property
    def best_heads(self) -> list[BestHead]:
        """For every relation and direction the head that is best on the dev part."""
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
        """The relations that the head which is best on the dev part finds on the test part."""
        return list(
            dict.fromkeys(case.finding.relation for case in self.best_heads if case.is_found)
        )


def evidence_file(folder: Path) -> Path:
    """Return the file with the evidence of the model in a folder."""
    return folder / "heads.json"


class EvidenceError(ValueError):
    """A file of evidence is damaged, or does not belong to the model beside it."""


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
