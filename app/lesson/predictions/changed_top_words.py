"""Prediction: how many heads change the word they read most if a few inputs are perturbed?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.attention.variants import (
    CHANGE_THRESHOLD,
    perturb_tokens,
    perturbed_head,
    perturbed_inputs,
    sliced_input_attention,
)
from app.attention.weights import Matrix
from app.lesson.predictions.question import (
    Answer,
    AnswerChoice,
    Mark,
    PredictionInput,
    PredictionType,
    Question,
    Reason,
)
from app.lesson.predictions.top_words import (
    top_words,
    unanswerable_cause,
    word_name,
    word_rows,
)
from app.picture import format_weight

MAX_SINGLE_CHOICES = 4
"""Up to this many heads every number is a choice; more heads have ranges."""

MAX_EXPLAINED_HEADS = 2


@dataclass(frozen=True)
class TopWordChange:
    """The words that one head reads most before and after, several if they tie.

    `rows` are what the chosen word reads of each word before and after, (2, n_words).
    """

    head: int
    rows: tuple[Matrix, Matrix]

    @property
    def before(self) -> tuple[int, ...]:
        return top_words(self.rows[0])

    @property
    def after(self) -> tuple[int, ...]:
        return top_words(self.rows[1])

    @property
    def is_change(self) -> bool:
        """Whether the word read most changes, the first of equal ones."""
        return self.before[0] != self.after[0]

    @property
    def possible(self) -> frozenset[bool]:
        """Both values of `is_change` if a tie leaves it open."""
        return frozenset(before != after for before in self.before for after in self.after)


def count_ranges(n_heads: int) -> list[range]:
    """Return the numbers of heads from 0 to `n_heads`; many are joined to three ranges after 1."""
    if n_heads <= MAX_SINGLE_CHOICES:
        return [range(count, count + 1) for count in range(n_heads + 1)]
    edges = [0, 1, *(2 + (n_heads - 1) * part // 3 for part in range(4))]
    return [range(first, end) for first, end in pairwise(edges)]


def choice_id(counts: range) -> str:
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]}-{counts[-1]}"


def ask(inputs: PredictionInput) -> Question:
    card = inputs.model.card
    perturbed = perturbed_inputs(card.d_model, card.n_heads)
    values = {
        "first_input": str(perturbed[0]),
        "last_input": str(perturbed[-1]),
        "sliced_head": str(perturbed_head(card.n_heads)),
    }
    cause = unanswerable_cause(inputs)
    if cause:
        return Question((), values, cause)
    choices = [choice_id(counts) for counts in count_ranges(card.n_heads)]
    return Question(
        tuple(AnswerChoice(each, {"value": each.replace("-", "–")}) for each in choices),
        values,
    )


def answer(inputs: PredictionInput) -> Answer:
    """Count the heads whose top word changes if inputs of the chosen word are perturbed.

    All tokens of the word are perturbed.
    """
    trace = inputs.selection.run(last_layer=inputs.layer).trace(inputs.layer)
    tokens = [token for token, word in enumerate(inputs.sentence.word_of) if word == inputs.word]
    X = perturb_tokens(trace.X, tokens, trace.W.n_heads)
    weights = trace.with_input(X).weights
    changes = top_word_changes(inputs, trace.weights, weights)
    surely = sum(False not in change.possible for change in changes)
    possibly = sum(True in change.possible for change in changes)
    right = tuple(
        choice_id(counts)
        for counts in count_ranges(len(changes))
        if counts[0] <= possibly and surely <= counts[-1]
    )
    changed = [change for change in changes if change.is_change]
    sliced = top_word_changes(
        inputs, sliced_input_attention(trace, trace.X), sliced_input_attention(trace, X)
    )[perturbed_head(trace.W.n_heads)]
    marked = [("head", change.head) for change in changed] + [("sliced-head", sliced.head)]
    return Answer(
        right,
        {"count": str(len(changed))},
        (
            _notice_reason(trace.weights, weights),
            *_reasons(inputs, changed),
            _sliced_reason(inputs, sliced),
        ),
        tuple(Mark(kind, head, model=inputs.model.card.id) for kind, head in marked),
    )


def top_word_changes(inputs: PredictionInput, before: Matrix, after: Matrix) -> list[TopWordChange]:
    """Return the change of each head between weights before and after, (n_heads, n, n)."""
    rows_before, rows_after = word_rows(before, inputs), word_rows(after, inputs)
    return [
        TopWordChange(head, (rows_before[head], rows_after[head]))
        for head in range(len(rows_before))
    ]


def _notice_reason(before: Matrix, after: Matrix) -> Reason:
    """Say how many maps change at all, and by how much at most; weights are (n_heads, n, n)."""
    largest = np.abs(after - before).max(axis=(1, 2))  # (n_heads,)
    noticing = int((largest > CHANGE_THRESHOLD).sum())
    return Reason("notice", {"noticing": str(noticing), "largest": format_weight(largest.max())})


def _reasons(inputs: PredictionInput, changed: Sequence[TopWordChange]) -> Iterator[Reason]:
    """Name the first heads that change their word, and what they read before and after."""
    if not changed:
        yield Reason("none")
    for change in changed[:MAX_EXPLAINED_HEADS]:
        yield Reason("changes", {"head": str(change.head), **_words(inputs, change)})
    n_more = len(changed) - MAX_EXPLAINED_HEADS
    if n_more > 0:
        yield Reason("one_more" if n_more == 1 else "more", {"n_more": str(n_more)})


def _sliced_reason(inputs: PredictionInput, change: TopWordChange) -> Reason:
    words = _words(inputs, change)
    if change.is_change:
        return Reason("sliced_changes", words)
    return Reason("sliced_keeps", {"before": words["before"]})


def _words(inputs: PredictionInput, change: TopWordChange) -> dict[str, str]:
    (before, *_), (after, *_) = change.before, change.after
    return {
        "before": word_name(inputs.sentence, before),
        "before_weight": format_weight(float(change.rows[0][before])),
        "after": word_name(inputs.sentence, after),
        "after_weight": format_weight(float(change.rows[1][after])),
    }


_BEFORE_AND_AFTER = ("before", "before_weight", "after", "after_weight")

CHANGED_TOP_WORDS = PredictionType(
    ask,
    answer,
    depends_on=("text", "layer", "word"),
    question_placeholders=("first_input", "last_input", "sliced_head"),
    placeholders=("count",),
    reasons={
        "notice": ("noticing", "largest"),
        "none": (),
        "changes": ("head", *_BEFORE_AND_AFTER),
        "one_more": ("n_more",),
        "more": ("n_more",),
        "sliced_changes": _BEFORE_AND_AFTER,
        "sliced_keeps": ("before",),
    },
    unanswerable=("one_word", "first_word", "one_head"),
)
