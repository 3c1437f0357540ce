"""Lab: what each head adds to the output of the layer through its slice of W_O."""

from dataclasses import dataclass, field, replace

import numpy as np

from app.attention import Intervention, Trace
from app.attention.intervention import NO_INTERVENTION
from app.attention.variants import output_with_mean_map
from app.lesson.json_fields import json_name
from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabState
from app.lesson.selection import Selection
from app.models import Sentence
from app.models.prediction import TokenProbability, final_hidden, most_probable_tokens
from app.picture.charts import Bar, bar_chart

TOP_K = 5


@dataclass(frozen=True)
class Contribution:
    """The norm of what one head adds to the chosen word, a mean over its tokens."""

    head: int
    off: bool
    length: float


@dataclass(frozen=True)
class Summand:
    """What one head adds to a single number of the output."""

    head: int
    value: float


@dataclass(frozen=True)
class OutputValue:
    """The largest number of the layer's output at the chosen word's first token, as a sum."""

    dimension: int
    summands: tuple[Summand, ...]
    bias: float
    total: float


@dataclass(frozen=True)
class PredictionChange:
    """Predictions from `text` with all heads (`before`) and under the controls (`after`).

    They are for the chosen word, masked, or for the next token if `is_next`.
    """

    is_next: bool
    text: str
    before: tuple[TokenProbability, ...]
    after: tuple[TokenProbability, ...]


@dataclass(frozen=True)
class OutputProjectionResult:
    """What each head contributes, and what the model predicts without some heads.

    mean_map_shift: the change of the output if every head used the mean of all maps, relative to
        the norm of the output.
    token_predictions: None if the model predicts no tokens.
    """

    contributions: tuple[Contribution, ...]
    plot: str
    heads: tuple[HeadFigure, ...]
    output_value: OutputValue
    token_predictions: PredictionChange | None = field(metadata=json_name("guesses"))
    mean_map_shift: float = field(metadata=json_name("averaged"))


def output_projection(state: LabState) -> OutputProjectionResult:
    trace, unablated = state.trace, state.trace_of(NO_INTERVENTION)
    lengths = np.linalg.norm(unablated.contributions[:, state.query_tokens], axis=-1).mean(axis=1)
    contributions = tuple(
        Contribution(head, (state.layer, head) in state.controls.off, float(length))
        for head, length in enumerate(lengths)
    )
    shift = output_with_mean_map(unablated) - unablated.output
    return OutputProjectionResult(
        contributions,
        bar_chart(
            [Bar(f"Head {each.head}", each.length) for each in contributions], "{:.2f}".format
        ),
        head_figures(state, state.maps),
        output_value(trace, state.query_tokens[0]),
        token_predictions(state),
        float(np.linalg.norm(shift) / np.linalg.norm(unablated.output)),
    )


def token_predictions(state: LabState) -> PredictionChange | None:
    """Return None if the model predicts no tokens, or would have to mask a special token."""
    predicts = state.model.card.predicts
    is_next = predicts == "next"
    is_special = state.sentence.words[state.word].is_special
    if predicts == "nothing" or (is_special and not is_next):
        return None
    if is_next:
        text, selection, token = prefix_text(state), state.selection, state.query_tokens[-1]
    else:
        text = masked_text(state)
        sentence = state.model.tokenizer.sentence(text)
        selection, token = replace(state.selection, sentence=sentence), mask_index(state, sentence)
    before = top_tokens(selection, token, NO_INTERVENTION)
    is_changed = state.intervention != NO_INTERVENTION
    after = top_tokens(selection, token, state.intervention) if is_changed else before
    return PredictionChange(is_next, text, before, after)


def prefix_text(state: LabState) -> str:
    """Return the sentence up to the chosen word: all that a causal model has read there."""
    return state.sentence.text[: state.sentence.words[state.word].pieces[-1].end]


def masked_text(state: LabState) -> str:
    """Return the sentence with the model's mask in place of the chosen word."""
    pieces = state.sentence.words[state.word].pieces
    text = state.sentence.text
    return f"{text[: pieces[0].start]}{state.model.tokenizer.mask_token}{text[pieces[-1].end :]}"


def mask_index(state: LabState, masked_sentence: Sentence) -> int:
    """Return the token that masks the chosen word; other words may be masked too."""
    start = state.sentence.words[state.word].pieces[0].start
    mask_token_id = state.model.tokenizer.mask_token_id
    return next(
        index
        for index, token in enumerate(masked_sentence.tokens)
        if token.id == mask_token_id and token.start == start
    )


def top_tokens(
    selection: Selection, token: int, intervention: Intervention
) -> tuple[TokenProbability, ...]:
    """Return the most probable tokens, best first, from the hidden state at `token`."""
    hidden = final_hidden(selection.run(intervention=intervention))
    (tokens,) = most_probable_tokens(selection.model, hidden[[token]], TOP_K)
    return tokens


def output_value(trace: Trace, token: int) -> OutputValue:
    """Return the largest number of the output at a token, as a sum over heads."""
    row = trace.output[token]
    dimension = int(np.abs(row).argmax())
    contributions = trace.contributions[:, token, dimension]
    return OutputValue(
        dimension,
        tuple(
            Summand(head, float(contribution)) for head, contribution in enumerate(contributions)
        ),
        float(trace.W.output_bias[dimension]),
        float(row[dimension]),
    )
