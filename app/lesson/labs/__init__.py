"""The labs, by the name that a step's `.toml` calls them.

Each takes a `LabView` and gives the values that its template `templates/labs/NAME.html` shows.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

from app.lesson.labs.base import CONTROLS, Controls, LabView, ModelName, NoOptions
from app.lesson.labs.budget import budget
from app.lesson.labs.explain import explain
from app.lesson.labs.measures import measures
from app.lesson.labs.mix import mix
from app.lesson.labs.nudge import nudge
from app.lesson.labs.pipeline import pipeline
from app.lesson.labs.sharing import SharingOptions, sharing
from app.lesson.labs.side_by_side import SideBySideOptions, side_by_side


@dataclass(frozen=True)
class Lab:
    """`controls` are those of `Controls` that it obeys, `options` what a step must give it."""

    run: Callable[[LabView], object]
    controls: tuple[str, ...] = ("cell",)
    options: type[BaseModel] = NoOptions

    @property
    def model_options(self) -> list[str]:
        """The options that name models."""
        return [n for n, each in self.options.model_fields.items() if each.annotation is ModelName]


LABS = {
    "side-by-side": Lab(side_by_side, options=SideBySideOptions),
    "pipeline": Lab(pipeline, controls=("causal", "cell")),
    "nudge": Lab(nudge),
    "budget": Lab(budget, controls=("unscaled", "cell")),
    "mix": Lab(mix, controls=("off", "weighted", "cell")),
    "measures": Lab(measures, controls=("shuffled", "cell")),
    "sharing": Lab(sharing, controls=("groups", "cell"), options=SharingOptions),
}

__all__ = ["CONTROLS", "LABS", "Controls", "Lab", "LabView", "explain"]
