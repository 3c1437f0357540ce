"""Lab: the same number of parameters divided among 1, 2, 4 or 8 heads."""

from dataclasses import dataclass, field
from functools import lru_cache

from app.attention import Intervention
from app.attention.metrics import row_entropy
from app.attention.weights import Matrix
from app.evaluation.registry import EvaluatedRegistry
from app.evaluation.seed_runs import LossDifference
from app.lesson.json_fields import NOT_IN_JSON, json_name
from app.lesson.labs.head_figure import HeadFigure, layer_figures
from app.lesson.labs.lab_state import LabState
from app.lesson.labs.row_figure import RowFigure, row_figure
from app.lesson.masked_word import WordGuess, guess_word, guessing_models, hidden_text, hidden_word
from app.lesson.model_comparison import (
    TrainedModel,
    head_count_text,
    loss_plot,
    runs_text,
    trained_models,
)
from app.models import Card
from app.picture import downsampled_thumbnail

LIT_PARTS = ("query", "keys", "values", "output")
"""The parts of the row figure that the step is about."""

TOP_K = 3
"""The number of guesses that are listed for each model."""


@dataclass(frozen=True)
class GuessingModel:
    """One of the models that the lab compares, on this sentence.

    decides: it is a right answer of the step's question.
    maps: the figures of its heads, none if it cannot read the sentence.
    guess: what it guesses at the hidden word; None before the answer is revealed, and if the word
        cannot be hidden.
    """

    card: Card
    chosen: bool
    decides: bool
    guess: WordGuess | None
    maps: tuple[HeadFigure, ...] = field(metadata=NOT_IN_JSON, compare=False, repr=False)

    @property
    def n_heads_text(self) -> str:
        return head_count_text(self.card.n_heads)

    @property
    def thumbnails(self) -> list[str]:
        """Small maps of its heads."""
        return [downsampled_thumbnail(figure.weights) for figure in self.maps]


@dataclass(frozen=True)
class LayerCost:
    """What a layer of one trained model costs on this sentence.

    `cells` counts the cells of its maps, `multiplications` those of QKᵀ and of weights times V.
    """

    trained_model: TrainedModel = field(metadata=json_name("member"))
    chosen: bool
    attention_parameters: int
    cells: int
    multiplications: int = field(metadata=json_name("products"))


@dataclass(frozen=True)
class FamilyLosses:
    """The losses of the models on unseen books, and by how much more heads change them.

    plot: the losses of the models, and of shorter runs from several seeds.
    difference: the loss with `most_heads` minus that with `best_heads`, the number of heads with
        the lowest loss of the shorter runs; None without such runs, or if most heads are best.
    """

    plot: str
    best_heads: int
    most_heads: int
    difference: LossDifference | None
    runs: str
    n_seeds: int


@dataclass(frozen=True)
class HeadCountResult:
    """The models' maps, guesses and costs, and the heads of the chosen model.

    hidden_text: the sentence as the models read it, None if the word cannot be hidden.
    costs, losses: None before the answer is revealed.
    entropies: for each head the mean row entropy in bits, with and without the divisor √d_k; None
        before the answer is revealed, as long as scores are divided.
    """

    models: tuple[GuessingModel, ...]
    hidden_text: str | None
    costs: tuple[LayerCost, ...] | None = field(metadata=json_name("counters"))
    losses: FamilyLosses | None
    heads: tuple[HeadFigure, ...]
    row: RowFigure = field(metadata=NOT_IN_JSON)
    entropies: tuple[tuple[float, float], ...] | None
    divisor: float


def head_count(state: LabState) -> HeadCountResult:
    return HeadCountResult(
        models=_guessing_models(state),
        hidden_text=hidden_text(state, state.models),
        costs=_costs(state) if state.is_revealed else None,
        losses=family_losses(state.models) if state.is_revealed else None,
        heads=layer_figures(state),
        row=row_figure(state, LIT_PARTS),
        entropies=_entropies(state) if state.is_revealed or state.controls.unscaled else None,
        divisor=float(state.model.card.d_head**0.5),
    )


def _guessing_models(state: LabState) -> tuple[GuessingModel, ...]:
    hidden = hidden_word(state, state.models) if state.is_revealed else None
    deciding = {mark.model for mark in state.marks}
    models = []
    for model in guessing_models(state.models):
        of_model = state.for_model(model)
        models.append(
            GuessingModel(
                card=model.card,
                chosen=model is state.model,
                decides=model.card.id in deciding,
                guess=guess_word(state, hidden, model, TOP_K) if hidden else None,
                maps=layer_figures(of_model) if of_model else (),
            )
        )
    return tuple(models)


def _costs(state: LabState) -> tuple[LayerCost, ...]:
    n = len(state.sentence.tokens)
    return tuple(
        LayerCost(
            model,
            model.card.n_heads == state.model.card.n_heads
            and state.model.card.kind != "checkpoint",
            attention_parameters(model.card.d_model),
            model.card.n_heads * n * n,
            2 * n * n * model.card.d_model,
        )
        for model in trained_models(state.models)
    )


def attention_parameters(d_model: int) -> int:
    """Return the size of W_Q, W_K, W_V and W_O with biases, which no number of heads changes."""
    return 4 * (d_model * d_model + d_model)


@lru_cache(maxsize=4)
def family_losses(models: EvaluatedRegistry) -> FamilyLosses | None:
    """Return the losses of the trained models, None without runs from several seeds."""
    runs = models.seed_runs
    if runs is None:
        return None
    most_heads = max(run.n_heads for run in runs.runs)
    best_heads = min({run.n_heads for run in runs.runs}, key=runs.mean_loss)
    return FamilyLosses(
        plot=loss_plot(models),
        best_heads=best_heads,
        most_heads=most_heads,
        difference=runs.difference(most_heads, best_heads) if best_heads != most_heads else None,
        runs=runs_text(runs.steps, runs.seeds),
        n_seeds=len(runs.seeds),
    )


def _entropies(state: LabState) -> tuple[tuple[float, float], ...]:
    scaled, unscaled = (_mean_entropies(state, scaled=scaled) for scaled in (True, False))
    return tuple(zip(scaled.tolist(), unscaled.tolist(), strict=True))


def _mean_entropies(state: LabState, *, scaled: bool) -> Matrix:
    weights = state.trace_of(Intervention(scaled=scaled)).weights
    means: Matrix = row_entropy(state.visible_and_renormalised(weights)).mean(axis=-1)
    return means
