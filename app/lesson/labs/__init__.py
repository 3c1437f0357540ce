"""The labs, by the name that a step's `.toml` calls them.

Each takes a `LabView` and gives the values that its template `templates/labs/NAME.html` shows.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.lesson.labs.compare import compare
from app.lesson.labs.explain import explain
from app.lesson.labs.grouped_query import SharingOptions, sharing
from app.lesson.labs.head_count import budget
from app.lesson.labs.head_metrics import measures
from app.lesson.labs.input_perturbation import nudge
from app.lesson.labs.lab_state import CONTROLS, EVERYWHERE, Controls, LabView
from app.lesson.labs.output_projection import mix
from app.lesson.labs.pipeline import pipeline
from app.lesson.labs.side_by_side import SideBySideOptions, side_by_side
from app.lesson.options import ModelName, NoOptions, Options

FULL_MAPS = 8
"""More heads than this are not all shown large unless that is asked for."""


@dataclass(frozen=True)
class Lab:
    """`extra` are the controls that it obeys beside those of every lab, `options` what a step must
    give it, `shows` the ways in which it can show heads, its own first.
    """

    run: Callable[[LabView], object]
    extra: tuple[str, ...] = ()
    options: type[Options] = NoOptions
    shows: tuple[str, ...] = ("map", "grid", "lines", "strip", "overview")

    def show(self, view: LabView) -> str:
        """How it shows heads: as it was asked; its own way if it was not, but for many full maps,
        or those of a long sentence.
        """
        many = view.frame.scrolls or view.model.card.n_heads > FULL_MAPS
        usual = "map" if self.shows[0] == "grid" and many else self.shows[0]
        return view.controls.show or usual

    @property
    def controls(self) -> tuple[str, ...]:
        return (*self.extra, *EVERYWHERE)

    @property
    def model_options(self) -> list[str]:
        """The options that name models."""
        return [n for n, each in self.options.model_fields.items() if each.annotation is ModelName]


LABS = {
    "side-by-side": Lab(
        side_by_side, options=SideBySideOptions, shows=("grid", "map", "lines", "strip", "overview")
    ),
    "pipeline": Lab(pipeline, extra=("causal",), shows=("map", "lines")),
    "nudge": Lab(nudge, shows=("map", "lines")),
    "budget": Lab(budget, extra=("unscaled",)),
    "mix": Lab(mix, extra=("off", "weighted")),
    "measures": Lab(measures, extra=("shuffled",)),
    "sharing": Lab(sharing, extra=("groups",), options=SharingOptions),
}

__all__ = ["CONTROLS", "LABS", "Controls", "Lab", "LabView", "compare", "explain"]
