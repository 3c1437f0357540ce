"""Compare: the chosen head's map minus another's, of this model or of any other."""

from dataclasses import dataclass

import numpy as np

from app.lesson.labs.lab_state import LabView
from app.picture import signed_map


@dataclass(frozen=True)
class Comparison:
    """The chosen head minus head `head` of `model` in `layer`, the same or that model's last;
    `moved` is the largest difference of a weight.
    """

    model: str
    layer: int
    head: int
    map: str
    moved: float


def compare(view: LabView) -> Comparison | None:
    """None while no other head is chosen."""
    if view.controls.minus is None:
        return None
    name, head = view.controls.minus
    shown, other = view.shown, view.models[name]
    read = shown.by(other)
    # Only heads of models that read the same tokens, and as many, can be chosen.
    assert read is not None  # noqa: S101
    theirs = read.maps[head]
    difference = shown.maps[shown.head] - theirs
    moved = float(np.abs(difference).max())
    drawn = signed_map(difference, shown.frame, moved or 1.0)
    return Comparison(name, read.layer, head, drawn, moved)
