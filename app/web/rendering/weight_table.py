"""The numbers of one head's map as a table."""

from collections.abc import Collection, Sequence
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

    @property
    def hides_rows(self) -> bool:
        return None in self.weights


def weight_table(displayed: LabState, hidden_rows: Collection[int]) -> WeightTable:
    """Return the numbers of the chosen head without the hidden rows."""
    weights: list[list[float]] = displayed.maps[displayed.head].tolist()
    rows = [None if index in hidden_rows else row for index, row in enumerate(weights)]
    return WeightTable(displayed, displayed.tokens, rows)
