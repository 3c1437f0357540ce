"""Lab: the heads of two models side by side on the same sentence."""

from dataclasses import dataclass

from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabState
from app.lesson.options import ModelName, Options
from app.models import Card


class SideBySideOptions(Options):
    """`beside` is the model on the left."""

    beside: ModelName


@dataclass(frozen=True)
class Panel:
    """All heads of one model."""

    model: Card
    heads: tuple[HeadFigure, ...]


@dataclass(frozen=True)
class SideBySideResult:
    """Both models. `too_long_for` is the left one if the sentence is too long for it."""

    panels: tuple[Panel, ...]
    too_long_for: Card | None


def side_by_side(state: LabState) -> SideBySideResult:
    """Return the model of the option `beside`, then the chosen one; one panel if they are the same.

    If the chosen model is untrained, the left one is the untrained model of the nearest size.
    """
    left_model = state.models[SideBySideOptions.model_validate(state.options).beside]
    if state.model.card.kind == "random":
        left_model = state.models.nearest_of_kind(left_model, "random") or left_model
    left_state = state.for_model(left_model)
    states = [each for each in (left_state, None if left_state is state else state) if each]
    panels = tuple(
        Panel(each.model.card, head_figures(each, each.maps, chosen=each is state))
        for each in states
    )
    return SideBySideResult(panels, None if left_state else left_model.card)
