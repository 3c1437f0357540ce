"""The trained models compared: figures and plots that labs and pages share."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from app.models import Card, Registry
from app.models.card import Training
from app.picture.charts import DotColumn, Series, dots, lines


@dataclass(frozen=True)
class Member:
    """A trained model; `seeds` are the losses of runs from several seeds, `found` the relations
    that its heads find, None if they were not measured.
    """

    card: Card
    training: Training
    seeds: Sequence[float]
    found: Sequence[str] | None

    @property
    def loss(self) -> float:
        return self.training.validation_loss

    @property
    def divisor(self) -> float:
        return sqrt(self.card.d_head)


def members(models: Registry) -> list[Member]:
    return [
        Member(
            model.card,
            model.card.training,
            models.seeds.losses(model.card.n_heads) if models.seeds else (),
            model.evidence.relations_found if model.evidence else None,
        )
        for model in models.of_source("trained")
        if model.card.training
    ]


def loss_plot(family: Sequence[Member]) -> str:
    columns = [DotColumn(str(each.card.n_heads), each.loss, each.seeds) for each in family]
    return dots(columns, x_label="heads", y_label="validation loss, nats")


def relations_plot(family: Sequence[Member]) -> str:
    columns = [
        DotColumn(str(each.card.n_heads), len(each.found))
        for each in family
        if each.found is not None
    ]
    return dots(columns, x_label="heads", y_label="relations found, of 13", from_zero=True)


def curve_plot(family: Sequence[Member]) -> str:
    series = [
        Series(
            heads_in_words(each.card.n_heads),
            [(point.step, point.loss) for point in each.training.curve],
            kind,
        )
        for kind, each in enumerate(family)
    ]
    return lines(series, x_label="steps", y_label="validation loss, nats")


def heads_in_words(n_heads: int) -> str:
    return "1 head" if n_heads == 1 else f"{n_heads} heads"
