"""Prediction: how many different words do the heads of a layer read most?"""

from collections.abc import Iterator, Sequence

import numpy as np

from app.attention.weights import Matrix
from app.lesson.predictions.question import (
    Answer,
    Mark,
    PredictionInput,
    PredictionType,
    Question,
    Reason,
    number_choices,
)
from app.lesson.predictions.top_words import (
    readable_words,
    top_words,
    unanswerable_cause,
    word_name,
    word_rows,
)
from app.models.registry import join_with_and
from app.picture import format_weight

MAX_SHARED_WORDS = 3
"""At most this many words that several heads pick are named in the reasons."""

MAX_TIED_SETS = 1000
"""Ties are followed until they lead to more sets of words than this."""

_NEIGHBOURS = {"previous word": ("previous", -1), "next word": ("next", 1)}
"""Labels of heads that follow place: the reason's id, and the distance in words."""


def ask(inputs: PredictionInput) -> Question:
    cause = unanswerable_cause(inputs)
    if cause:
        return Question((), unanswerable=cause)
    most = min(inputs.model.card.n_heads, len(readable_words(inputs)))
    return Question(number_choices(range(1, most + 1)))


def answer(inputs: PredictionInput) -> Answer:
    """Count the different top words: `len(set(argmax A[:, i, :]))`.

    A word that the sentence repeats counts once for each place.
    """
    weights = inputs.weights()  # (n_heads, n, n)
    rows = word_rows(weights, inputs)  # (n_heads, n_words)
    tops = [top_words(row) for row in rows]
    picks = [words[0] for words in tops]
    reasons = (*_position_reasons(inputs, rows, picks), *_agreement_reasons(inputs, picks))
    marks = tuple(_mark(inputs, weights[head], head, pick) for head, pick in enumerate(picks))
    right = tuple(str(count) for count in possible_counts(tops))
    return Answer(right, reasons=reasons, marks=marks)


def possible_counts(tops: Sequence[Sequence[int]]) -> list[int]:
    """Return the numbers of different words if each head picks any one of its `tops`."""
    picked_sets = {frozenset[int]()}
    for words in tops:
        possible = words if len(picked_sets) <= MAX_TIED_SETS else words[:1]
        picked_sets = {picked | {word} for picked in picked_sets for word in possible}
    return sorted({len(picked) for picked in picked_sets})


def _position_reasons(
    inputs: PredictionInput, rows: Matrix, picks: Sequence[int]
) -> Iterator[Reason]:
    """Explain, for each direction, the head that its record says reads the neighbouring word.

    If several do, it is the one that gives the neighbour most.
    """
    evidence = inputs.models.evidence_of(inputs.model)
    if not evidence or inputs.sentence.words[inputs.word].is_special:
        return
    labels = {
        record.head: evidence.labels(record)
        for record in evidence.heads
        if record.layer == inputs.layer
    }
    n_words = len(inputs.sentence.content_words)
    for label, (reason, distance) in _NEIGHBOURS.items():
        heads = [head for head in sorted(labels) if label in labels[head]]
        neighbour = inputs.word + distance
        if not heads:
            continue
        if not 0 <= neighbour < n_words:
            head = heads[0]
            values = {"other": word_name(inputs.sentence, picks[head])}
            yield Reason(f"no_{reason}", {"head": str(head), **values})
            continue
        head = max(heads, key=lambda each: float(rows[each, neighbour]))
        if picks[head] == neighbour:
            values = {
                "head": str(head),
                "other": word_name(inputs.sentence, neighbour),
                "weight": format_weight(float(rows[head, neighbour])),
            }
            yield Reason(reason, values)


def _agreement_reasons(inputs: PredictionInput, picks: Sequence[int]) -> Iterator[Reason]:
    """Say which heads pick the same word, and which pick one that no other head picks."""
    heads_by_word: dict[int, list[str]] = {}
    for head, pick in enumerate(picks):
        heads_by_word.setdefault(pick, []).append(str(head))
    shared = [(word, heads) for word, heads in heads_by_word.items() if len(heads) > 1]
    shared.sort(key=lambda each: -len(each[1]))
    for word, heads in shared[:MAX_SHARED_WORDS]:
        values = {"heads": join_with_and(heads), "other": word_name(inputs.sentence, word)}
        yield Reason("shared", values)
    alone = [heads[0] for heads in heads_by_word.values() if len(heads) == 1]
    if len(alone) == 1:
        yield Reason("one_alone", {"head": alone[0]})
    elif alone:
        yield Reason("several_alone", {"heads": join_with_and(alone)})
    texts = [inputs.sentence.words[word].text for word in heads_by_word]
    repeated = next((text for text in texts if texts.count(text) > 1), None)
    if repeated:
        yield Reason("repeated", {"other": repeated})


def _mark(inputs: PredictionInput, weights: Matrix, head: int, pick: int) -> Mark:
    """Mark the largest cell of a head's map (n, n) from the chosen word to the word it picks."""
    word_of = np.array(inputs.sentence.word_of)
    rows, columns = np.flatnonzero(word_of == inputs.word), np.flatnonzero(word_of == pick)
    row, column = divmod(int(weights[np.ix_(rows, columns)].argmax()), len(columns))
    return Mark("cell", head, int(rows[row]), int(columns[column]), inputs.model.card.id)


DISTINCT_WORDS = PredictionType(
    ask,
    answer,
    depends_on=("text", "layer", "word"),
    reasons={
        "previous": ("head", "other", "weight"),
        "next": ("head", "other", "weight"),
        "no_previous": ("head", "other"),
        "no_next": ("head", "other"),
        "shared": ("heads", "other"),
        "one_alone": ("head",),
        "several_alone": ("heads",),
        "repeated": ("other",),
    },
    unanswerable=("one_word", "first_word", "one_head"),
)
