"""Compare heads: the map of the chosen head minus that of another head or model."""

from dataclasses import dataclass, field

import numpy as np

from app.lesson.json_fields import json_name
from app.lesson.labs.head_figure import head_figures
from app.lesson.labs.lab_state import LabState
from app.picture import signed_map


@dataclass(frozen=True)
class Comparison:
    """The chosen head's map minus that of head `head` in layer `layer` of `model`.

    The layer is the chosen one, or the last of a model with fewer layers. `max_difference` is the
    largest absolute difference of two weights.
    """

    model: str
    layer: int
    head: int
    map: str
    max_difference: float = field(metadata=json_name("moved"))


def compare(state: LabState) -> Comparison | None:
    """Return the comparison with the chosen other head, None if there is none."""
    if state.controls.minus is None:
        return None
    name, head = state.controls.minus
    displayed, other_model = state.displayed, state.models[name]
    other_state = displayed.for_model(other_model)
    # Controls offer only models that read the same tokens and enough of them.
    assert other_state is not None  # noqa: S101
    other_map = other_state.maps[head]
    difference = displayed.maps[displayed.head] - other_map
    max_difference = float(np.abs(difference).max())
    figure = head_figures(displayed, displayed.maps)[displayed.head]
    description = figure.name_of_difference(
        difference, f"Head {figure.head} minus head {head} of {name}"
    )
    layout = displayed.heatmap_layout
    svg = signed_map(difference, layout, max_difference or 1.0, name=description)
    return Comparison(name, other_state.layer, head, svg, max_difference)
