"""Lab: the heads of two models beside one another on the same sentence."""

from dataclasses import dataclass, replace

from app.lesson.labs.base import LabView
from app.lesson.labs.figures import HeadFigure, head_figures
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
    panels: tuple[Panel, ...]


def side_by_side(view: LabView) -> SideBySide:
    """The model in `options["beside"]` first, then the chosen one; once if they are the same.

    An untrained model stands beside an untrained one.
    """
    beside = view.models[SideBySideOptions.model_validate(view.options).beside]
    beside = view.models.like(beside, view.model.card.source) or beside
    models = [view.model] if beside is view.model else [beside, view.model]
    panels = []
    for model in models:
        own = model is view.model
        maps = view.maps if own else replace(view, model=model).maps
        panels.append(Panel(model.card, head_figures(view, maps, chosen=own)))
    return SideBySide(tuple(panels))
