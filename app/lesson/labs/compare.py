"""Compare: the chosen head's map minus another's, of this model or of any other."""

from dataclasses import dataclass, field

import numpy as np

from app.lesson.json_fields import json_name
from app.lesson.labs.lab_state import LabState
from app.picture import signed_map


@dataclass(frozen=True)
class Comparison:
    """The chosen head minus head `head` of `model` in `layer`, the same or that model's last;
    `max_difference` is the largest difference of a weight.
    """

    model: str
    layer: int
    head: int
    map: str
    max_difference: float = field(metadata=json_name("moved"))


def compare(state: LabState) -> Comparison | None:
    """None while no other head is chosen."""
    if state.controls.minus is None:
        return None
    name, head = state.controls.minus
    displayed, other_model = state.displayed, state.models[name]
    other_state = displayed.for_model(other_model)
    # Only heads of models that read the same tokens, and as many, can be chosen.
    assert other_state is not None  # noqa: S101
    other_map = other_state.maps[head]
    difference = displayed.maps[displayed.head] - other_map
    max_difference = float(np.abs(difference).max())
    svg = signed_map(difference, displayed.heatmap_layout, max_difference or 1.0)
    return Comparison(name, other_state.layer, head, svg, max_difference)
