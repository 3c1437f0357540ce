"""The numbers of one head's map as a table."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf

from app.lesson import LabState
from app.models import Token
from app.picture import format_number


@dataclass(frozen=True)
class WeightTable:
    """The map of a view's head as text; `rows[query][key]`, both along `tokens`.

    The map has the attention weights, or the scores of the chosen stage. Rows that the page does
    not show before the prediction are None.
    """

    state: LabState
    tokens: Sequence[Token]
    rows: Sequence[Sequence[str] | None]

    @property
    def hides_rows(self) -> bool:
        return None in self.rows


def weight_table(displayed: LabState, hidden_rows: Collection[int]) -> WeightTable:
    """Return the numbers of the chosen head without the hidden rows."""
    scores = displayed.scores_of_stage
    values = displayed.maps if scores is None else scores
    format_value = "{:.4f}".format if scores is None else _format_score
    rows = [
        None if index in hidden_rows else [format_value(value) for value in row]
        for index, row in enumerate(values[displayed.head].tolist())
    ]
    return WeightTable(displayed, displayed.tokens, rows)


def _format_score(score: float) -> str:
    return "−∞" if score == -inf else format_number(score)
