"""Lab: what each head adds to the output through its slice of W_O."""

from dataclasses import dataclass

import numpy as np

from app.attention import Intervention, Trace
from app.attention.variants import output_with_mean_map
from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabView
from app.models.prediction import Guess, fill_in, next_word
from app.picture.charts import Bar, bars

SHOWN_GUESSES = 5


@dataclass(frozen=True)
class Contribution:
    """The length of what one head adds to the chosen word, mean over its tokens."""

    head: int
    off: bool
    length: float


@dataclass(frozen=True)
class Summand:
    """What one head adds to a single output number."""

    head: int
    value: float


@dataclass(frozen=True)
class OutputValue:
    """One number of the layer's output for the chosen word's first token: its largest."""

    dimension: int
    summands: tuple[Summand, ...]
    bias: float
    total: float


@dataclass(frozen=True)
class Guesses:
    """Guesses for the chosen word, masked, or for the one after it if `is_next`, from `text`; with
    all heads, and without those that are off.
    """

    is_next: bool
    text: str
    before: tuple[Guess, ...]
    after: tuple[Guess, ...]


@dataclass(frozen=True)
class Mix:
    """`averaged` is how far the output moves, relative to its length, if every head used the mean
    of all maps; `guesses` is None for a model that guesses no words.
    """

    contributions: tuple[Contribution, ...]
    plot: str
    heads: tuple[HeadFigure, ...]
    output_value: OutputValue
    guesses: Guesses | None
    averaged: float


def mix(view: LabView) -> Mix:
    # Guesses take passes to the end, of which those to the layer are a part.
    guesses = guesses_of(view)
    trace, whole = view.trace, view.trace_of(Intervention())
    lengths = np.linalg.norm(whole.contributions[:, view.asking_tokens], axis=-1).mean(axis=1)
    contributions = tuple(
        Contribution(head, (view.layer, head) in view.controls.off, float(length))
        for head, length in enumerate(lengths)
    )
    averaged = output_with_mean_map(whole) - whole.output
    return Mix(
        contributions,
        bars([Bar(f"Head {each.head}", each.length) for each in contributions], "{:.2f}".format),
        head_figures(view, view.maps),
        output_value(trace, view.asking_tokens[0]),
        guesses,
        float(np.linalg.norm(averaged) / np.linalg.norm(whole.output)),
    )


def guesses_of(view: LabView) -> Guesses | None:
    """What the model makes of the chosen word's place; a special token cannot be masked."""
    is_next = view.model.card.guesses == "next"
    special = view.sentence.words[view.word].is_special
    if view.model.card.guesses == "nothing" or (special and not is_next):
        return None
    text = read_so_far(view) if is_next else masked_word(view)
    guess = next_guesses if is_next else hidden_guesses
    before = guess(view, Intervention())
    after = guess(view, view.intervention) if view.intervention != Intervention() else before
    return Guesses(is_next, text, before, after)


def masked_word(view: LabView) -> str:
    """The sentence with the model's mask in place of the chosen word."""
    pieces = view.sentence.words[view.word].pieces
    text = view.sentence.text
    return f"{text[: pieces[0].start]}{view.model.tokenizer.mask}{text[pieces[-1].end :]}"


def hidden_guesses(view: LabView, intervention: Intervention) -> tuple[Guess, ...]:
    sentence = view.model.tokenizer.sentence(masked_word(view))
    start = view.sentence.words[view.word].pieces[0].start
    blanks = fill_in(view.model, sentence, top=SHOWN_GUESSES, intervention=intervention)
    # A learner may have masked other words already.
    return next(each.guesses for each in blanks if sentence.tokens[each.token].start == start)


def read_so_far(view: LabView) -> str:
    """The sentence up to the chosen word, all that a causal model has read there."""
    return view.sentence.text[: view.sentence.words[view.word].pieces[-1].end]


def next_guesses(view: LabView, intervention: Intervention) -> tuple[Guess, ...]:
    last = view.asking_tokens[-1]
    return next_word(
        view.model, view.sentence, last, top=SHOWN_GUESSES, intervention=intervention
    ).guesses


def output_value(trace: Trace, token: int) -> OutputValue:
    """The output's largest number at a token, taken apart by heads."""
    row = trace.output[token]
    dimension = int(np.abs(row).argmax())
    parts = trace.contributions[:, token, dimension]
    return OutputValue(
        dimension,
        tuple(Summand(head, float(part)) for head, part in enumerate(parts)),
        float(trace.W.output_bias[dimension]),
        float(row[dimension]),
    )
