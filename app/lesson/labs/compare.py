"""Compare: the chosen head's map minus another's, of this model or of any other."""

from dataclasses import dataclass, replace

import numpy as np

from app.lesson.labs.base import LabView
from app.picture import signed_map


@dataclass(frozen=True)
class Comparison:
    """The chosen head minus head `head` of `model`, in the same layer; `moved` is the largest
    difference of a weight.
    """

    model: str
    head: int
    map: str
    moved: float


def compare(view: LabView) -> Comparison | None:
    """None while no other head is chosen."""
    if view.controls.minus is None:
        return None
    name, head = view.controls.minus
    shown, other = view.shown, view.models[name]
    layer = min(view.layer, other.card.n_layers - 1)
    controls = shown.controls
    if other is not view.model:
        # What was done to heads of one model has no counterpart in another.
        controls = replace(controls, off=frozenset(), groups=0)
    theirs = replace(shown, model=other, layer=layer, controls=controls).maps[head]
    difference = shown.maps[shown.head] - theirs
    moved = float(np.abs(difference).max())
    drawn = signed_map(difference, shown.frame, moved or 1.0)
    return Comparison(name, head, drawn, moved)
