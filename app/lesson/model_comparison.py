"""Compare the trained models: numbers and plots for labs and pages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import sqrt

from app.evaluation.registry import EvaluatedRegistry
from app.lesson.json_fields import json_name
from app.models import Card
from app.models.card import Training
from app.picture.charts import (
    DotColumn,
    DotLine,
    Series,
    dot_chart,
    dot_line_chart,
    line_chart,
)


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and what was measured of it.

    `seed_losses` are the losses of training runs from several seeds. `relations_found` are the
    relations that its heads find, None if they were not measured.
    """

    card: Card
    training: Training
    seed_losses: Sequence[float] = field(metadata=json_name("seeds"))
    relations_found: Sequence[str] | None = field(metadata=json_name("found"))

    @property
    def loss(self) -> float:
        return self.training.validation_loss

    @property
    def divisor(self) -> float:
        return sqrt(self.card.d_head)


def trained_models(models: EvaluatedRegistry) -> list[TrainedModel]:
    """Return the models that Headwise has trained, ordered by their number of heads."""
    trained = []
    for model in models.of_kind("trained"):
        if model.card.training:
            seed_losses = models.seed_runs.losses(model.card.n_heads) if models.seed_runs else ()
            evidence = models.evidence_of(model)
            relations_found = evidence.relations_found if evidence else None
            trained.append(
                TrainedModel(model.card, model.card.training, seed_losses, relations_found)
            )
    return trained


@dataclass(frozen=True)
class LeadingModels:
    """The two trained models with the lowest losses, and how far losses differ by chance.

    lead: by how much the loss of `second` exceeds that of `first`, in nats.
    seed_spread: the largest difference between two seeds with the same number of heads, in nats.
    """

    first: TrainedModel
    second: TrainedModel
    lead: float
    seed_spread: float


@lru_cache(maxsize=4)
def leading_models(models: EvaluatedRegistry) -> LeadingModels | None:
    """Return the two best models, None without two models or without runs from several seeds."""
    ranked = sorted(trained_models(models), key=lambda model: model.loss)
    if len(ranked) < 2 or models.seed_runs is None:
        return None
    first, second = ranked[:2]
    return LeadingModels(first, second, second.loss - first.loss, models.seed_runs.widest_spread)


def loss_plot(models: EvaluatedRegistry) -> str:
    """Return the SVG of losses by number of heads: the models, and the shorter runs of all seeds.

    Each line says of how many steps and of which seeds it is.
    """
    trained, runs = trained_models(models), models.seed_runs
    if not trained:
        return ""
    lines = [
        DotLine(
            runs_text(trained[0].training.steps, [trained[0].training.seed]),
            [(str(model.card.n_heads), [model.loss]) for model in trained],
        )
    ]
    if runs:
        head_counts = sorted({run.n_heads for run in runs.runs})
        columns = [(str(n_heads), runs.losses(n_heads)) for n_heads in head_counts]
        lines.append(DotLine(runs_text(runs.steps, runs.seeds), columns))
    return dot_line_chart(lines, x_label="heads", y_label="loss on unseen books, nats")


def runs_text(steps: int, seeds: Sequence[int]) -> str:
    """Return which training runs a line shows: 6,000 steps, seeds 0, 1, 2."""
    noun = "seed" if len(seeds) == 1 else "seeds"
    return f"{steps:,} steps, {noun} {', '.join(map(str, seeds))}"


def relations_plot(models: Sequence[TrainedModel]) -> str:
    columns = [
        DotColumn(str(model.card.n_heads), len(model.relations_found))
        for model in models
        if model.relations_found is not None
    ]
    return dot_chart(columns, x_label="heads", y_label="relations found, of 13", from_zero=True)


def curve_plot(models: Sequence[TrainedModel]) -> str:
    series = [
        Series(
            head_count_text(model.card.n_heads),
            [(point.step, point.loss) for point in model.training.curve],
            kind,
        )
        for kind, model in enumerate(models)
    ]
    return line_chart(series, x_label="steps", y_label="validation loss, nats")


def head_count_text(n_heads: int) -> str:
    return "1 head" if n_heads == 1 else f"{n_heads} heads"
