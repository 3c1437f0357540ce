"""The labs, by the name that a step's `.toml` calls them.

Each takes a `LabView` and gives the values that its template `templates/labs/NAME.html` shows.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.lesson.labs.base import LabView
from app.lesson.labs.side_by_side import side_by_side


@dataclass(frozen=True)
class Lab:
    """`model_options` are the options of its own that a step must give it, all names of models."""

    run: Callable[[LabView], object]
    model_options: tuple[str, ...] = ()


LABS = {"side-by-side": Lab(side_by_side, model_options=("beside",))}

__all__ = ["LABS", "Lab", "LabView"]
