"""Lab: the same number of parameters divided among 1, 2, 4 or 8 heads."""

from dataclasses import dataclass, field

from app.attention import Intervention
from app.attention.metrics import row_entropy
from app.attention.weights import Matrix
from app.lesson.json_fields import json_name
from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabState
from app.lesson.model_comparison import TrainedModel, loss_plot, trained_models


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
class HeadCountResult:
    """Costs and losses of all trained models, and the maps of the chosen one.

    `entropies` has for each head the mean row entropy in bits, with and without the divisor √d_k.
    """

    costs: tuple[LayerCost, ...] = field(metadata=json_name("counters"))
    loss_plot: str
    heads: tuple[HeadFigure, ...]
    entropies: tuple[tuple[float, float], ...]
    divisor: float


def head_count(state: LabState) -> HeadCountResult:
    models = trained_models(state.models)
    n = len(state.sentence.tokens)
    maps = state.maps
    scaled_entropies, unscaled_entropies = (
        _entropies(state, scaled=scaled) for scaled in (True, False)
    )
    return HeadCountResult(
        tuple(
            LayerCost(
                model,
                model.card.n_heads == state.model.card.n_heads
                and state.model.card.kind != "checkpoint",
                attention_parameters(model.card.d_model),
                model.card.n_heads * n * n,
                2 * n * n * model.card.d_model,
            )
            for model in models
        ),
        loss_plot(state.models),
        head_figures(state, maps),
        tuple(zip(scaled_entropies.tolist(), unscaled_entropies.tolist(), strict=True)),
        float(state.model.card.d_head**0.5),
    )


def attention_parameters(d_model: int) -> int:
    """Return the size of W_Q, W_K, W_V and W_O with biases, which no number of heads changes."""
    return 4 * (d_model * d_model + d_model)


def _entropies(state: LabState, *, scaled: bool) -> Matrix:
    weights = state.trace_of(Intervention(scaled=scaled)).weights
    means: Matrix = row_entropy(state.visible_and_renormalised(weights)).mean(axis=-1)
    return means
