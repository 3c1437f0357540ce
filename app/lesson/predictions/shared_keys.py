"""Prediction: how many heads keep their top word if all heads share one set of keys?"""

from collections.abc import Sequence

import numpy as np

from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.metrics import word_row
from app.attention.weights import Matrix
from app.lesson.predictions.question import (
    TIE_TOLERANCE,
    Answer,
    AnswerChoice,
    Mark,
    PredictionInput,
    PredictionType,
    Question,
    Reason,
)
from app.models import Sentence

ONE_SET = Intervention(groups=1)
"""The key and value projections of all heads are replaced by their mean."""


def ask(inputs: PredictionInput) -> Question:
    """Ask how many heads keep the word that the chosen word reads most."""
    card, sentence = inputs.model.card, inputs.sentence
    if card.n_kv_heads == 1:
        return Question((), unanswerable="one_head" if card.n_heads == 1 else "one_set")
    if len(sentence.words) == 1:
        return Question((), unanswerable="one_word")
    if card.causal and sentence.word_of[0] == inputs.word:
        return Question((), unanswerable="reads_only_itself")
    return Question(tuple(_choice(counts) for counts in count_ranges(card.n_heads)))


def count_ranges(n_heads: int) -> list[range]:
    """Divide the counts 0 to n_heads into few, many, exactly half, and more than half.

    Half is rounded down. With fewer than six heads, some of these are one, or are missing.
    """
    starts = sorted({0, n_heads // 4 + 1, n_heads // 2, n_heads // 2 + 1})
    ends = [*starts[1:], n_heads + 1]
    return [range(start, end) for start, end in zip(starts, ends, strict=True)]


def _choice(counts: range) -> AnswerChoice:
    text = _range_text(counts)
    return AnswerChoice(text.replace("–", "-"), {"value": text})


def _range_text(counts: range) -> str:
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"


def top_words(inputs: PredictionInput, intervention: Intervention) -> list[list[int]]:
    """Return for each head the words that the chosen word reads most, several if they tie."""
    forward_pass = inputs.selection.run(last_layer=inputs.layer, intervention=intervention)
    rows: Matrix = word_row(
        forward_pass.weights[inputs.layer], inputs.sentence.word_of, inputs.word
    )  # (n_heads, n_words)
    return [np.flatnonzero(row >= row.max() - TIE_TOLERANCE).tolist() for row in rows]


def answer(inputs: PredictionInput) -> Answer:
    """Compare each head's top word with its own keys and with the mean of all keys.

    A head with a tie may count as keeping its word or not, so several answers can be right.
    """
    before, after = top_words(inputs, NO_INTERVENTION), top_words(inputs, ONE_SET)
    pairs = list(zip(before, after, strict=True))
    may_keep = [head for head, (old, new) in enumerate(pairs) if set(old) & set(new)]
    surely_keep = [head for head in may_keep if pairs[head][0] == pairs[head][1]]
    surely_keep = [head for head in surely_keep if len(pairs[head][0]) == 1]
    counts = range(len(surely_keep), len(may_keep) + 1)
    right = tuple(
        _choice(each).id
        for each in count_ranges(inputs.model.card.n_heads)
        if set(each) & set(counts)
    )
    return Answer(
        right,
        values={"count": _range_text(counts)},
        reasons=tuple(_reasons(inputs.sentence, pairs, may_keep)),
        marks=tuple(Mark("head", head, model=inputs.model.card.id) for head in may_keep),
    )


def _reasons(
    sentence: Sentence, pairs: Sequence[tuple[list[int], list[int]]], keeping: Sequence[int]
) -> list[Reason]:
    changes = [
        f"{head} ({_text(sentence, old[0])} → {_text(sentence, new[0])})"
        for head, (old, new) in enumerate(pairs)
        if head not in keeping
    ]
    kept = [f"{head} ({_text(sentence, pairs[head][0][0])})" for head in keeping]
    reasons = [
        Reason("kept", {"kept": ", ".join(kept)}) if kept else Reason("none_kept"),
        Reason("changed", {"changed": ", ".join(changes)}) if changes else Reason("none_changed"),
    ]
    return [*reasons, Reason("mean_keys")]


def _text(sentence: Sentence, word: int) -> str:
    """Return the text of a word, with its place if the sentence repeats it."""
    text, ordinal = sentence.words[word].text, sentence.ordinal_if_repeated(word)
    return text if ordinal is None else f"{text} {ordinal}"


SHARED_KEYS = PredictionType(
    ask,
    answer,
    depends_on=("text", "model", "layer", "word"),
    placeholders=("count",),
    reasons={
        "kept": ("kept",),
        "none_kept": (),
        "changed": ("changed",),
        "none_changed": (),
        "mean_keys": (),
    },
    unanswerable=("one_head", "one_set", "one_word", "reads_only_itself"),
)
