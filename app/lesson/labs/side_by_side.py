"""Lab: the heads of two models beside one another on the same sentence."""

from dataclasses import dataclass

from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabView
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


def side_by_side(view: LabView) -> SideBySide:
    """The model in `options["beside"]` first, then the chosen one; once if they are the same.

    An untrained model stands beside an untrained one.
    """
    beside = view.models[SideBySideOptions.model_validate(view.options).beside]
    if view.model.card.source == "random":
        beside = view.models.like(beside, "random") or beside
    read = view.by(beside)
    views = [each for each in (read, None if read is view else view) if each]
    panels = tuple(
        Panel(each.model.card, head_figures(each, each.maps, chosen=each is view)) for each in views
    )
    return SideBySide(panels, None if read else beside.card)
