"""Lab: the same budget cut into 1, 2, 4 or 8 heads."""

from dataclasses import dataclass

from app.attention import Intervention
from app.attention.metrics import row_entropy
from app.attention.weights import Matrix
from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabView
from app.lesson.model_comparison import Member, loss_plot, members


@dataclass(frozen=True)
class Counter:
    """What a layer of one member of the family costs on this sentence.

    `products` counts the multiplications of QKᵀ and of weights times V.
    """

    member: Member
    chosen: bool
    attention_parameters: int
    cells: int
    products: int


@dataclass(frozen=True)
class Budget:
    """`entropies` are the mean row entropies of each head with and without the divisor √d_k."""

    counters: tuple[Counter, ...]
    loss_plot: str
    heads: tuple[HeadFigure, ...]
    entropies: tuple[tuple[float, float], ...]
    divisor: float


def budget(view: LabView) -> Budget:
    family = members(view.models)
    n = len(view.sentence.tokens)
    maps = view.maps
    divided, undivided = (_entropies(view, scaled=scaled) for scaled in (True, False))
    return Budget(
        tuple(
            Counter(
                each,
                each.card.n_heads == view.model.card.n_heads
                and view.model.card.source != "checkpoint",
                attention_parameters(each.card.d_model),
                each.card.n_heads * n * n,
                2 * n * n * each.card.d_model,
            )
            for each in family
        ),
        loss_plot(family),
        head_figures(view, maps),
        tuple(zip(divided.tolist(), undivided.tolist(), strict=True)),
        float(view.model.card.d_head**0.5),
    )


def attention_parameters(d_model: int) -> int:
    """W_Q, W_K, W_V and W_O of one layer with their biases: the same at any number of heads."""
    return 4 * (d_model * d_model + d_model)


def _entropies(view: LabView, *, scaled: bool) -> Matrix:
    weights = view.trace_of(Intervention(scaled=scaled)).weights
    means: Matrix = row_entropy(view.among_shown(weights)).mean(axis=-1)
    return means
