"""The labs, by the name that a step's `.toml` calls them.

Each takes a `LabView` and gives the values that its template `templates/labs/NAME.html` shows.
"""

from collections.abc import Callable

from app.lesson.labs.base import LabView
from app.lesson.labs.side_by_side import side_by_side

LABS: dict[str, Callable[[LabView], object]] = {"side-by-side": side_by_side}

__all__ = ["LABS", "LabView"]
