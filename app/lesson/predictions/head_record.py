"""Prediction: what was a head found to do that links the chosen word to another one?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.attention.metrics import word_row
from app.evaluation.report import (
    DIRECTIONS,
    MIN_CASES,
    NO_LABEL,
    POSITION_LABELS,
    RELATIONS,
    Evidence,
    Finding,
    HeadRecord,
    relation_label,
)
from app.lesson.predictions.question import (
    Answer,
    AnswerChoice,
    Mark,
    PredictionInput,
    PredictionType,
    Question,
    Reason,
)
from app.lesson.selection import Selection
from app.models import Sentence, Word
from app.models.tokenizer import is_punctuation
from app.picture import format_weight

PLACE_LABELS = ("previous word", "next word", "itself", "first word")
"""Labels of heads that follow a place, whatever the words are."""

LABEL_ORDER = (
    *POSITION_LABELS,
    *(relation_label(relation, direction) for relation in RELATIONS for direction in DIRECTIONS),
)
"""Labels in the order in which they are offered as answers."""

MAX_RELATION_CHOICES = 3
"""Labels among the answers, besides "no clear role"."""


@dataclass(frozen=True)
class StrongestLink:
    """The weight between two words that a question is about.

    key: the index of the word that is read. row, column: the tokens with the largest weight among
    those of both words.
    """

    head: int
    key: int
    weight: float
    row: int
    column: int


@dataclass(frozen=True)
class NoLink:
    """Why there is no such link: one of `UNANSWERABLE`."""

    cause: str


UNANSWERABLE = ("not_measured", "only_places", "not_a_word", "one_word", "reads_only_itself")


def strongest_link(selection: Selection, evidence: Evidence | None) -> StrongestLink | NoLink:
    """Return the largest weight of the chosen word on another word of the text.

    Heads that follow a place by their record do not count, punctuation and special tokens are not
    read: the record leaves them out too. Of equal weights the first counts.
    """
    sentence, word = selection.sentence, selection.word
    if evidence is None:
        return NoLink("not_measured")
    heads = heads_not_following_place(evidence, selection.layer)
    if not heads:
        return NoLink("only_places")
    if sentence.words[word].is_special:
        return NoLink("not_a_word")
    others = [each.index for each in sentence.content_words if _is_readable(each, word)]
    if not others:
        return NoLink("one_word")
    weights = selection.run(last_layer=selection.layer).weights[selection.layer]
    rows = word_row(weights[heads], sentence.word_of, word)[:, others]  # (heads, others)
    index, position = divmod(int(rows.argmax()), len(others))
    if not rows[index, position]:
        return NoLink("reads_only_itself")
    head, key = heads[index], others[position]
    queries, keys = _tokens_of(sentence, word), _tokens_of(sentence, key)
    cells = weights[head][np.ix_(queries, keys)]
    row, column = divmod(int(cells.argmax()), len(keys))
    return StrongestLink(head, key, float(rows[index, position]), queries[row], keys[column])


def heads_not_following_place(evidence: Evidence, layer: int) -> list[int]:
    """Return the heads of a layer whose record has none of `PLACE_LABELS`."""
    return [
        record.head
        for record in evidence.heads
        if record.layer == layer
        and not set(PLACE_LABELS) & set(evidence.labels_of(layer, record.head))
    ]


def _is_readable(word: Word, query: int) -> bool:
    return word.index != query and not all(map(is_punctuation, word.text))


def _tokens_of(sentence: Sentence, word: int) -> list[int]:
    return [index for index, each in enumerate(sentence.word_of) if each == word]


def label_choices(evidence: Evidence, layer: int, head: int) -> list[str]:
    """Return the labels to choose from; the last one is "no clear role".

    They are the first labels of the layer's heads, so they say nothing about which head is asked
    about. If there are many, the heads are divided into groups; if there are few, labels that none
    of these heads has are added.
    """
    candidates = heads_not_following_place(evidence, layer)
    labels_of = {each: evidence.labels_of(layer, each) for each in candidates}
    firsts = sorted({labels[0] for labels in labels_of.values()} - {NO_LABEL}, key=_label_index)
    n_groups = max(1, -(-len(firsts) // MAX_RELATION_CHOICES))
    groups = [group.tolist() for group in np.array_split(np.array(firsts), n_groups)]
    own = labels_of[head][0]
    group: list[str] = next((each for each in groups if own in each), groups[head % n_groups])
    known = {label for labels in labels_of.values() for label in labels}
    decoys = [label for label in _decoys(evidence) if label not in known]
    if len(firsts) < MAX_RELATION_CHOICES:
        group = group + decoys[: MAX_RELATION_CHOICES - len(firsts)]
    return [*sorted(group, key=_label_index), NO_LABEL]


def _decoys(evidence: Evidence) -> list[str]:
    """Return labels of the model's heads, then all other relations, without those of places."""
    firsts = [evidence.labels_of(each.layer, each.head)[0] for each in evidence.heads]
    return [
        label
        for label in dict.fromkeys([*firsts, *LABEL_ORDER[len(POSITION_LABELS) :]])
        if label not in (*PLACE_LABELS, NO_LABEL)
    ]


def _label_index(label: str) -> int:
    return LABEL_ORDER.index(label)


def label_id(label: str) -> str:
    """Return the id of the answer: "object → verb" is "object-to-verb"."""
    return label.replace("→", "to").replace(" ", "-")


def ask(inputs: PredictionInput) -> Question:
    """Ask for the record of the head that links the chosen word most strongly to another."""
    evidence = inputs.models.evidence_of(inputs.model)
    link = strongest_link(inputs.selection, evidence)
    if isinstance(link, NoLink):
        return Question((), unanswerable=link.cause)
    assert evidence is not None  # noqa: S101
    choices = tuple(
        AnswerChoice(label_id(label), {"value": label})
        for label in label_choices(evidence, inputs.layer, link.head)
    )
    return Question(choices, _question_values(inputs.sentence, link, evidence))


def _question_values(
    sentence: Sentence, link: StrongestLink, evidence: Evidence
) -> Mapping[str, str]:
    ordinal = sentence.ordinal_if_repeated(link.key)
    key = sentence.words[link.key].text
    return {
        "asked_head": str(link.head),
        "read_word": key if ordinal is None else f"{key} ({ordinal})",
        "weight": format_weight(link.weight),
        "sentences": f"{evidence.sentences:,}",
    }


def answer(inputs: PredictionInput) -> Answer:
    """Answer with the labels of the head's record, and compare one sentence with all cases."""
    evidence = inputs.models.evidence_of(inputs.model)
    link = strongest_link(inputs.selection, evidence)
    if isinstance(link, NoLink) or evidence is None:
        return Answer(())
    labels = evidence.labels_of(inputs.layer, link.head)
    choices = label_choices(evidence, inputs.layer, link.head)
    right = tuple(label_id(label) for label in choices if label in labels)
    record = evidence.record_of(inputs.layer, link.head)
    return Answer(
        right,
        reasons=tuple(_reasons(evidence, record, labels)),
        marks=(
            Mark("head", link.head, model=inputs.model.card.id),
            Mark("cell", link.head, link.row, link.column, inputs.model.card.id),
        ),
    )


def _reasons(evidence: Evidence, record: HeadRecord, labels: Sequence[str]) -> list[Reason]:
    if labels[0] in POSITION_LABELS:
        position = POSITION_LABELS[labels[0]]
        share = evidence.top_word_share(record, position)
        untrained = evidence.untrained_top_shares[position]
        values = {
            "label": labels[0],
            "rate": percent(share.rate),
            "cases": f"{share.n:,}",
            "baseline": percent(untrained),
        }
        reasons = [Reason("mostly_at", values)]
    else:
        found = evidence.found_relations(record)
        finding = found[0] if found else best_finding(evidence, record)
        reasons = [Reason("found" if found else "not_found", finding_values(finding))]
        reasons.append(_baseline_reason(evidence, finding))
    if len(labels) > 1:
        reasons.append(Reason("also_found", {"others": ", ".join(labels[1:])}))
    return reasons


def best_finding(evidence: Evidence, record: HeadRecord) -> Finding:
    """Return the finding with the largest margin over its baselines, among those that can count."""
    findings = [each for each in record.findings if each.test.n >= MIN_CASES]
    return max(findings or record.findings, key=evidence.margin)


def finding_values(finding: Finding) -> dict[str, str]:
    low, high = finding.test.interval
    return {
        "label": finding.label,
        "rate": percent(finding.test.rate),
        "low": percent(low),
        "high": percent(high),
        "cases": f"{finding.test.n:,}",
    }


def _baseline_reason(evidence: Evidence, finding: Finding) -> Reason:
    baselines = evidence.baselines_of(finding)
    if baselines.rate > baselines.offset_share.rate:
        return Reason("untrained_baseline", {"baseline": percent(baselines.rate)})
    reason = "earlier_baseline" if baselines.offset < 0 else "later_baseline"
    values = {"baseline": percent(baselines.rate), "distance": str(abs(baselines.offset))}
    return Reason(reason, values)


def percent(share: float) -> str:
    """Return a share as a whole number of percent, without the sign."""
    return f"{100 * share:.0f}"


HEAD_RECORD = PredictionType(
    ask,
    answer,
    depends_on=("text", "model", "layer", "word"),
    question_placeholders=("asked_head", "read_word", "weight", "sentences"),
    reasons={
        "found": ("label", "rate", "low", "high", "cases"),
        "not_found": ("label", "rate", "low", "high", "cases"),
        "mostly_at": ("label", "rate", "cases", "baseline"),
        "earlier_baseline": ("baseline", "distance"),
        "later_baseline": ("baseline", "distance"),
        "untrained_baseline": ("baseline",),
        "also_found": ("others",),
    },
    unanswerable=UNANSWERABLE,
    other_choices=tuple(map(label_id, LABEL_ORDER)),
)
