"""Which head adds most to the chosen word?"""

from dataclasses import dataclass

import numpy as np

from app.attention.trace import Trace
from app.attention.weights import Matrix
from app.lesson.predictions.question import (
    Answer,
    Mark,
    PredictionInput,
    PredictionType,
    Question,
    Reason,
    argmax_with_ties,
    number_choices,
)
from app.models import Sentence
from app.picture import format_weight

DECIMALS = 2
"""Lengths are printed with this many decimals; those that look the same are a tie."""


@dataclass(frozen=True)
class ContributionParts:
    """What makes a head's contribution to a word long or short.

    top_word: the word that the chosen word reads most in this head, and `weight` how much of it.
    value_length: the length of that word's value.
    projected_length: the length of the value times the head's rows of W_O.
    length: the length of the head's whole contribution, of all words together.
    """

    head: int
    top_word: int
    weight: float
    value_length: float
    projected_length: float
    length: float

    @property
    def product(self) -> float:
        """The length of what the word that is read most adds: weight × projected length."""
        return self.weight * self.projected_length


def ask(inputs: PredictionInput) -> Question:
    n_heads = inputs.model.card.n_heads
    if n_heads == 1:
        return Question((), unanswerable="one_head")
    return Question(number_choices(range(n_heads)))


def answer(inputs: PredictionInput) -> Answer:
    """Return the argmax of ‖O_i W_O⁽ⁱ⁾‖, of a word of several tokens the mean over them."""
    trace = inputs.selection.run(last_layer=inputs.layer).trace(inputs.layer)
    queries = [i for i, token in enumerate(inputs.sentence.tokens) if token.word == inputs.word]
    lengths = contribution_lengths(trace, queries)
    right = argmax_with_ties(lengths.astype(np.float64).round(DECIMALS))
    if len(lengths) == 1:
        return Answer(right, {"length": _length(lengths[0])})
    order = [int(head) for head in np.argsort(-lengths, kind="stable")]
    winners = order[: len(right)]

    def reason(reason_id: str, head: int) -> Reason:
        parts = contribution_parts(trace, inputs.sentence, queries, head)
        return Reason(reason_id, _values(parts, inputs.sentence))

    reasons = [reason("largest", head) for head in winners]
    parts = [contribution_parts(trace, inputs.sentence, queries, each) for each in order]
    strongest = max(parts, key=lambda each: each.weight).head
    if strongest not in winners:
        reasons.append(reason("strongest", strongest))
    else:
        reasons += [reason("next", head) for head in order[len(right) :][:1]]
    return Answer(
        right,
        {"length": _length(lengths[winners[0]])},
        tuple(reasons),
        tuple(Mark("bar", head=int(head)) for head in right),
    )


def contribution_lengths(trace: Trace, queries: list[int]) -> Matrix:
    """Return the norms of what each head adds to a word, (n_heads,); means over its tokens."""
    norms: Matrix = np.linalg.norm(trace.contributions[:, queries], axis=-1).mean(axis=1)
    return norms


def contribution_parts(
    trace: Trace, sentence: Sentence, queries: list[int], head: int
) -> ContributionParts:
    """Return weight, value and projection of the word that a head reads most.

    The value of a word of several tokens is their mean, weighted by attention.
    """
    token_weights = trace.weights[head, queries].mean(axis=0)  # (n,)
    word_weights = np.bincount(sentence.word_of, token_weights)  # (n_words,)
    top_word = int(word_weights.argmax())
    keys = [i for i, word in enumerate(sentence.word_of) if word == top_word]
    shares = token_weights[keys] / token_weights[keys].sum()
    return ContributionParts(
        head,
        top_word,
        float(word_weights[top_word]),
        float(np.linalg.norm(shares @ trace.V[head, keys])),
        float(np.linalg.norm(shares @ trace.value_contributions[head, keys])),
        float(contribution_lengths(trace, queries)[head]),
    )


def _values(parts: ContributionParts, sentence: Sentence) -> dict[str, str]:
    return {
        "which": str(parts.head),
        "top_word": _word_name(sentence, parts.top_word),
        "top_weight": format_weight(parts.weight),
        "value_length": _length(parts.value_length),
        "projected_length": _length(parts.projected_length),
        "product": _length(parts.product),
        "length": _length(parts.length),
    }


def _word_name(sentence: Sentence, word: int) -> str:
    """Return the text of a word, with its place from 1 if the sentence repeats it."""
    ordinal = sentence.ordinal_if_repeated(word)
    text = sentence.word_texts[word]
    return text if ordinal is None else f"{text} ({ordinal})"


def _length(length: float) -> str:
    return f"{length:.{DECIMALS}f}"


_PARTS = (
    "which",
    "top_word",
    "top_weight",
    "value_length",
    "projected_length",
    "product",
    "length",
)

LARGEST_CONTRIBUTION = PredictionType(
    ask,
    answer,
    depends_on=("text", "layer", "word"),
    placeholders=("length",),
    reasons={"largest": _PARTS, "strongest": _PARTS, "next": _PARTS},
    unanswerable=("one_head",),
)
