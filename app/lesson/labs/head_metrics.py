"""Lab: metrics of every head on this sentence and on a treebank."""

from dataclasses import dataclass, field, replace

import numpy as np

from app.attention.metrics import diagonal_mean, mean_distance, row_entropy, word_row
from app.attention.weights import Matrix
from app.evaluation.report import (
    NO_LABEL,
    POSITION_LABELS,
    Evidence,
    Finding,
    HeadRecord,
    Share,
)
from app.lesson.json_fields import NOT_IN_JSON, json_name
from app.lesson.labs.head_figure import HeadFigure, layer_figures
from app.lesson.labs.lab_state import LabState
from app.lesson.options import Options
from app.lesson.predictions.head_record import StrongestLink, best_finding, strongest_link
from app.models import Sentence
from app.picture import quantise

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
    """A head's best relation on the treebank, and the best fixed offset as its baseline.

    `baseline` is the highest rate without training, of that offset or of untrained models. `found`:
    the head is above it.
    """

    finding: Finding
    offset: int
    offset_share: Share
    found: bool
    baseline: float = field(metadata=NOT_IN_JSON)


@dataclass(frozen=True)
class HeadRecordSummary:
    """The first label of a head against its baseline, as shares from 0 to 1.

    rate: how often the top word is the partner of the relation or at the position of the label, or
        for a head without a label, of the relation with the largest margin, `relation`.
    low, high: its 95 % interval; `cases` is their number.
    baseline: the best rate without training.
    others: the other labels.
    """

    head: int
    label: str
    relation: str
    rate: float
    low: float
    high: float
    cases: int
    baseline: float
    others: tuple[str, ...]

    @property
    def is_found(self) -> bool:
        return self.label != NO_LABEL


@dataclass(frozen=True)
class HeadMetricsRow:
    """The metrics of one head: entropy in bits, distance in tokens.

    `labels` and `record` come from the treebank. They are empty and None if the model was not
    measured, and before the answer is revealed.
    """

    head: int
    position_weights: tuple[PositionWeight, ...] = field(metadata=json_name("scores"))
    entropy: float
    distance: float
    labels: tuple[str, ...]
    record: TreebankRecord | None


@dataclass(frozen=True)
class AskedHead:
    """The head that the question is about: it reads `word` from the chosen word."""

    head: int
    key: int
    word: str


@dataclass(frozen=True)
class LayerPair:
    """How much each head of a layer gives to one word in two sentences, (2, n_heads).

    `changes` is the number of heads that read another word most in the second sentence, and
    `largest_move` the largest change of the weight.
    """

    layer: int
    weights: Matrix
    changes: int

    @property
    def largest_move(self) -> float:
        return float(np.abs(self.weights[0] - self.weights[1]).max())

    @property
    def cells(self) -> list[list[tuple[float, int]]]:
        """For each sentence, the weight of each head and its level on the colour scale."""
        levels = quantise(self.weights)
        return [
            list(zip(weights.tolist(), row.tolist(), strict=True))
            for weights, row in zip(self.weights, levels, strict=True)
        ]


@dataclass(frozen=True)
class SentencePair:
    """The sentence and another that differs in one word; `words` are those that differ.

    `key` is the word whose weights are compared, in some layers.
    """

    words: tuple[str, str]
    key: str
    layers: tuple[LayerPair, ...]


class HeadMetricsOptions(Options):
    """`pair` is two sentences that differ in one word; the lab shows them side by side.

    For any other sentence, one of its words is masked.
    """

    pair: tuple[str, str] | None = None


@dataclass(frozen=True)
class HeadMetricsResult:
    """The metrics of every head, and figures of the displayed sentence.

    `sentence` is the displayed text. `treebank` and `licence` are empty if the model was not
    measured. `asked` is None if there is no question. `pair` is None before the answer is revealed,
    and if no word can be replaced. `records` has a record of each head, or is empty like theirs.
    """

    metrics: tuple[HeadMetricsRow, ...] = field(metadata=json_name("measures"))
    heads: tuple[HeadFigure, ...]
    records: tuple[HeadRecordSummary, ...] = field(metadata=NOT_IN_JSON)
    sentence: str
    treebank: str
    licence: str
    asked: AskedHead | None = field(metadata=NOT_IN_JSON)
    pair: SentencePair | None = field(metadata=NOT_IN_JSON)


def head_metrics(state: LabState) -> HeadMetricsResult:
    maps, shuffled = state.maps, state.shuffled
    scores, shuffled_scores = mean_position_weights(state), mean_position_weights(shuffled)
    evidence = state.models.evidence_of(state.model)
    shown_evidence = evidence if state.is_revealed else None
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
            *treebank_record(shown_evidence, state.layer, head),
        )
        for head in range(len(maps))
    )
    displayed = state.displayed
    link = strongest_link(state.selection, evidence)
    asked = None
    if isinstance(link, StrongestLink):
        asked = AskedHead(link.head, link.key, state.sentence.words[link.key].text)
    return HeadMetricsResult(
        rows,
        layer_figures(displayed),
        record_summaries(shown_evidence, state.layer, len(maps)),
        displayed.sentence.text,
        evidence.treebank if evidence else "",
        evidence.licence if evidence else "",
        asked,
        sentence_pair(state, asked.key) if asked and state.is_revealed else None,
    )


def sentence_pair(state: LabState, key: int) -> SentencePair | None:
    """Compare the chosen word's weight on the word `key` in two sentences.

    The layers are the first, the chosen and the last one. The sentences are the pair of the options
    if the sentence is one of it; otherwise the last other word of the sentence is masked. None if
    there is no such word or no mask token.
    """
    other = other_sentence(state, key)
    if other is None:
        return None
    shown = sorted({0, state.layer, state.model.card.n_layers - 1})
    rows = []
    for sentence in (state.sentence, other):
        forward_pass = replace(state.selection, sentence=sentence).run(
            last_layer=state.model.card.n_layers - 1
        )
        weights = [forward_pass.weights[layer] for layer in shown]
        rows.append([word_row(each, sentence.word_of, state.word) for each in weights])
    differing = next(
        pair
        for pair in zip(state.sentence.word_texts, other.word_texts, strict=True)
        if pair[0] != pair[1]
    )
    layers = tuple(
        LayerPair(
            layer,
            np.stack([here[:, key], there[:, key]]),
            int((here.argmax(axis=-1) != there.argmax(axis=-1)).sum()),
        )
        for layer, here, there in zip(shown, *rows, strict=True)
    )
    return SentencePair(differing, state.sentence.words[key].text, layers)


def other_sentence(state: LabState, key: int) -> Sentence | None:
    """Return the sentence with one word replaced, None if that is not possible."""
    pair = HeadMetricsOptions.model_validate(state.options).pair or ()
    text, tokenizer = state.sentence.text, state.model.tokenizer
    if text in pair:
        candidate = tokenizer.sentence(pair[1 - pair.index(text)])
    else:
        words = [
            word for word in state.sentence.content_words if word.index not in (state.word, key)
        ]
        if tokenizer.mask_token is None or not words:
            return None
        pieces = words[-1].pieces
        candidate = tokenizer.sentence(
            f"{text[: pieces[0].start]}{tokenizer.mask_token}{text[pieces[-1].end :]}"
        )
    differs = [
        here != there
        for here, there in zip(state.sentence.word_texts, candidate.word_texts, strict=False)
    ]
    same_length = len(candidate.words) == len(state.sentence.words)
    fits = len(candidate.tokens) <= state.model.card.max_tokens
    return candidate if same_length and fits and sum(differs) == 1 else None


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
    head_record = evidence.record_of(layer, head)
    found = evidence.found_relations(head_record)
    best = found[0] if found else best_finding(evidence, head_record)
    baselines = evidence.baselines_of(best)
    return evidence.labels_of(layer, head), TreebankRecord(
        best, baselines.offset, baselines.offset_share, bool(found), baselines.rate
    )


def record_summaries(
    evidence: Evidence | None, layer: int, n_heads: int
) -> tuple[HeadRecordSummary, ...]:
    """Return the record of each head of a layer, none without evidence."""
    if evidence is None:
        return ()
    return tuple(
        _record_summary(evidence, evidence.record_of(layer, head)) for head in range(n_heads)
    )


def _record_summary(evidence: Evidence, record: HeadRecord) -> HeadRecordSummary:
    label, *others = evidence.labels_of(record.layer, record.head)
    if label in POSITION_LABELS:
        position = POSITION_LABELS[label]
        share, baseline = (
            evidence.top_word_share(record, position),
            evidence.untrained_top_shares[position],
        )
        relation = label
    else:
        found = evidence.found_relations(record)
        best = found[0] if found else best_finding(evidence, record)
        share, baseline, relation = best.test, evidence.baselines_of(best).rate, best.label
    return HeadRecordSummary(
        record.head, label, relation, share.rate, *share.interval, share.n, baseline, tuple(others)
    )
