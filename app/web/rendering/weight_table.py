"""The numbers of one head's map as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.lesson import LabState
from app.models import Token


@dataclass(frozen=True)
class WeightTable:
    """The attention matrix of a view's head; `weights[query][key]`, both along `tokens`.

    Rows that the page does not show before the prediction are None.
    """

    state: LabState
    tokens: Sequence[Token]
    weights: Sequence[Sequence[float] | None]


def weight_table(displayed: LabState, *, hides_maps: bool) -> WeightTable:
    """Return the numbers of the chosen head.

    `hides_maps`: before the answer is revealed, only the rows of the chosen word are shown.
    """
    weights: list[list[float]] = displayed.maps[displayed.head].tolist()
    shows_all = displayed.is_revealed or not hides_maps
    rows = [
        row if shows_all or index in displayed.query_rows else None
        for index, row in enumerate(weights)
    ]
    return WeightTable(displayed, displayed.tokens, rows)
