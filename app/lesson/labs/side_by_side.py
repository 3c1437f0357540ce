"""Lab: the heads of two models beside one another on the same sentence."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from app.lesson.labs.base import LabView, ModelName
from app.lesson.labs.figures import HeadFigure, frame_of, head_figures, largest_entropy
from app.models import Card


class SideBySideOptions(BaseModel):
    """What a step gives this lab: the model that always stands on the left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    beside: ModelName


@dataclass(frozen=True)
class Panel:
    model: Card
    heads: tuple[HeadFigure, ...]


@dataclass(frozen=True)
class SideBySide:
    """`largest_entropy` is that of a row that reads every token the same, in bits."""

    panels: tuple[Panel, ...]
    word: str
    scrolls: bool
    largest_entropy: float


def side_by_side(view: LabView) -> SideBySide:
    """The model in `options["beside"]` first, then the chosen one; once if they are the same.

    An untrained model stands beside an untrained one.
    """
    beside = view.models[SideBySideOptions.model_validate(view.options).beside]
    beside = view.models.like(beside, view.model.card.source) or beside
    models = [view.model] if beside is view.model else [beside, view.model]
    frame = frame_of(view)
    panels = []
    for model in models:
        maps = model.read(view.sentence, last_layer=view.layer).weights[view.layer]
        figures = head_figures(view, maps, frame, chosen=model is view.model)
        panels.append(Panel(model.card, figures))
    word = view.sentence.words[view.word].text
    return SideBySide(tuple(panels), word, frame.scrolls, largest_entropy(view))
