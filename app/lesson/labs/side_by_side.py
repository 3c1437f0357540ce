"""Lab: the heads of two models beside one another on the same sentence."""

from dataclasses import dataclass

from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabState
from app.lesson.options import ModelName, Options
from app.models import Card


class SideBySideOptions(Options):
    """What a step gives this lab: the model that always stands on the left."""

    beside: ModelName


@dataclass(frozen=True)
class Panel:
    model: Card
    heads: tuple[HeadFigure, ...]


@dataclass(frozen=True)
class SideBySide:
    """`too_long_for` is the model that would stand beside, if it cannot read so long a sentence."""

    panels: tuple[Panel, ...]
    too_long_for: Card | None


def side_by_side(state: LabState) -> SideBySide:
    """The model in `options["beside"]` first, then the chosen one; once if they are the same.

    An untrained model stands beside an untrained one.
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
    return SideBySide(panels, None if left_state else left_model.card)
