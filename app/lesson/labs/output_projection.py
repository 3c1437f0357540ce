"""Lab: what each head adds to the output of the layer through its slice of W_O."""

from dataclasses import dataclass, field, replace

import numpy as np

from app.attention import Trace
from app.attention.intervention import NO_INTERVENTION
from app.attention.variants import output_with_mean_map
from app.lesson.json_fields import NOT_IN_JSON, json_name
from app.lesson.labs.head_figure import HeadFigure, layer_figures
from app.lesson.labs.lab_state import LabState
from app.lesson.labs.row_figure import RowFigure, row_figure
from app.lesson.masked_word import mask_word, top_tokens
from app.lesson.predictions.largest_contribution import contribution_lengths
from app.models.prediction import TokenProbability
from app.picture import downsampled_thumbnail
from app.picture.charts import Bar, bar_chart

LIT_PARTS = ("values", "output", "joined", "added")
"""The parts of the row figure that the step is about."""

TOP_K = 5


@dataclass(frozen=True)
class HeadSwitch:
    """A head of the chosen layer, and whether the controls switch it off."""

    head: int
    off: bool


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

    All but `switches`, `heads` and `predicts_tokens` is None before the answer is revealed.

    plot: bars of the contributions; those that decide the step's question are outlined.
    token_predictions: None if the model cannot be asked for the chosen word.
    mean_map_shift: the change of the output if every head used the mean of all maps, relative to
        the norm of the output.
    mean_map: the small picture of that mean.
    """

    switches: tuple[HeadSwitch, ...]
    heads: tuple[HeadFigure, ...]
    row: RowFigure = field(metadata=NOT_IN_JSON)
    predicts_tokens: bool
    contributions: tuple[Contribution, ...] | None
    plot: str | None = field(metadata=NOT_IN_JSON)
    output_value: OutputValue | None
    token_predictions: PredictionChange | None = field(metadata=json_name("guesses"))
    mean_map_shift: float | None = field(metadata=json_name("averaged"))
    mean_map: str | None = field(metadata=NOT_IN_JSON)


def output_projection(state: LabState) -> OutputProjectionResult:
    is_revealed = state.is_revealed
    contributions = _contributions(state) if is_revealed else None
    return OutputProjectionResult(
        switches=tuple(
            HeadSwitch(head, (state.layer, head) in state.controls.off)
            for head in range(state.model.card.n_heads)
        ),
        heads=layer_figures(state),
        row=row_figure(state, LIT_PARTS),
        predicts_tokens=predicts_tokens(state),
        contributions=contributions,
        plot=_plot(state, contributions) if contributions else None,
        output_value=output_value(state.trace, state.query_tokens[0]) if is_revealed else None,
        token_predictions=token_predictions(state) if is_revealed else None,
        mean_map_shift=_mean_map_shift(state) if is_revealed else None,
        mean_map=downsampled_thumbnail(state.maps.mean(axis=0)) if is_revealed else None,
    )


def _contributions(state: LabState) -> tuple[Contribution, ...]:
    lengths = contribution_lengths(state.trace_of(NO_INTERVENTION), state.query_tokens)
    return tuple(
        Contribution(head, (state.layer, head) in state.controls.off, float(length))
        for head, length in enumerate(lengths)
    )


def _plot(state: LabState, contributions: tuple[Contribution, ...]) -> str:
    deciding = {mark.head for mark in state.marks if mark.kind == "bar"}
    bars = [Bar(f"Head {each.head}", each.length, each.head in deciding) for each in contributions]
    return bar_chart(bars, "{:.2f}".format)


def _mean_map_shift(state: LabState) -> float:
    unablated = state.trace_of(NO_INTERVENTION)
    shift = output_with_mean_map(unablated) - unablated.output
    return float(np.linalg.norm(shift) / np.linalg.norm(unablated.output))


def predicts_tokens(state: LabState) -> bool:
    """Return whether the model can be asked for the chosen word, or for the word after it."""
    predicts = state.model.card.predicts
    is_special = state.sentence.words[state.word].is_special
    return predicts == "next" or (predicts == "hidden" and not is_special)


def token_predictions(state: LabState) -> PredictionChange | None:
    """Return None if the model cannot be asked for the chosen word."""
    if not predicts_tokens(state):
        return None
    is_next = state.model.card.predicts == "next"
    if is_next:
        text, selection, token = prefix_text(state), state.selection, state.query_tokens[-1]
    else:
        masked = mask_word(state.sentence, state.word, state.model)
        text, token = masked.sentence.text, masked.token
        selection = replace(state.selection, sentence=masked.sentence)
    before = top_tokens(selection, token, top=TOP_K)
    is_changed = state.intervention != NO_INTERVENTION
    after = top_tokens(selection, token, state.intervention, top=TOP_K) if is_changed else before
    return PredictionChange(is_next, text, before, after)


def prefix_text(state: LabState) -> str:
    """Return the sentence up to the chosen word: all that a causal model has read there."""
    return state.sentence.text[: state.sentence.words[state.word].pieces[-1].end]


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
