"""Lab: what each head adds to the output through its slice of W_O."""

from dataclasses import dataclass, field

import numpy as np

from app.attention import Intervention, Trace
from app.attention.variants import output_with_mean_map
from app.lesson.json_fields import json_name
from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabState
from app.models.prediction import TokenProbability, fill_mask, predict_next_token
from app.picture.charts import Bar, bars

TOP_K = 5


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
class TokenPredictions:
    """Guesses for the chosen word, masked, or for the one after it if `is_next`, from `text`; with
    all heads, and without those that are off.
    """

    is_next: bool
    text: str
    before: tuple[TokenProbability, ...]
    after: tuple[TokenProbability, ...]


@dataclass(frozen=True)
class OutputProjection:
    """`mean_map_shift` is how far the output moves, relative to its length, if every head used the
    mean of all maps; `token_predictions` is None for a model that predicts no words.
    """

    contributions: tuple[Contribution, ...]
    plot: str
    heads: tuple[HeadFigure, ...]
    output_value: OutputValue
    token_predictions: TokenPredictions | None = field(metadata=json_name("guesses"))
    mean_map_shift: float = field(metadata=json_name("averaged"))


def output_projection(state: LabState) -> OutputProjection:
    # Guesses take passes to the end, of which those to the layer are a part.
    predictions = token_predictions(state)
    trace, unablated = state.trace, state.trace_of(Intervention())
    lengths = np.linalg.norm(unablated.contributions[:, state.query_tokens], axis=-1).mean(axis=1)
    contributions = tuple(
        Contribution(head, (state.layer, head) in state.controls.off, float(length))
        for head, length in enumerate(lengths)
    )
    shift = output_with_mean_map(unablated) - unablated.output
    return OutputProjection(
        contributions,
        bars([Bar(f"Head {each.head}", each.length) for each in contributions], "{:.2f}".format),
        head_figures(state, state.maps),
        output_value(trace, state.query_tokens[0]),
        predictions,
        float(np.linalg.norm(shift) / np.linalg.norm(unablated.output)),
    )


def token_predictions(state: LabState) -> TokenPredictions | None:
    """What the model makes of the chosen word's place; a special token cannot be masked."""
    is_next = state.model.card.predicts == "next"
    is_special = state.sentence.words[state.word].is_special
    if state.model.card.predicts == "nothing" or (is_special and not is_next):
        return None
    text = prefix_text(state) if is_next else masked_text(state)
    predict = next_token_predictions if is_next else masked_token_predictions
    before = predict(state, Intervention())
    after = predict(state, state.intervention) if state.intervention != Intervention() else before
    return TokenPredictions(is_next, text, before, after)


def masked_text(state: LabState) -> str:
    """The sentence with the model's mask in place of the chosen word."""
    pieces = state.sentence.words[state.word].pieces
    text = state.sentence.text
    return f"{text[: pieces[0].start]}{state.model.tokenizer.mask_token}{text[pieces[-1].end :]}"


def masked_token_predictions(
    state: LabState, intervention: Intervention
) -> tuple[TokenProbability, ...]:
    sentence = state.model.tokenizer.sentence(masked_text(state))
    mask_start = state.sentence.words[state.word].pieces[0].start
    masks = fill_mask(state.model, sentence, top=TOP_K, intervention=intervention)
    # A learner may have masked other words already.
    return next(each.guesses for each in masks if sentence.tokens[each.token].start == mask_start)


def prefix_text(state: LabState) -> str:
    """The sentence up to the chosen word, all that a causal model has read there."""
    return state.sentence.text[: state.sentence.words[state.word].pieces[-1].end]


def next_token_predictions(
    state: LabState, intervention: Intervention
) -> tuple[TokenProbability, ...]:
    last = state.query_tokens[-1]
    return predict_next_token(
        state.model, state.sentence, last, top=TOP_K, intervention=intervention
    ).guesses


def output_value(trace: Trace, token: int) -> OutputValue:
    """The output's largest number at a token, taken apart by heads."""
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
