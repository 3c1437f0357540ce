"""Compare the trained models: numbers and plots for labs and pages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt

from app.evaluation.registry import EvaluatedRegistry
from app.lesson.json_fields import json_name
from app.models import Card
from app.models.card import Training
from app.picture.charts import DotColumn, Series, dot_chart, line_chart


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


def loss_plot(models: Sequence[TrainedModel]) -> str:
    columns = [
        DotColumn(str(model.card.n_heads), model.loss, model.seed_losses) for model in models
    ]
    return dot_chart(columns, x_label="heads", y_label="validation loss, nats")


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
