"""Results of an experiment on a task that one head cannot solve and two heads can.

`training/two_neighbours.py` runs it and contains the proof.
"""

from pathlib import Path
from typing import Literal

from app.models.builtin import BUILTIN_FOLDER
from app.models.record import Record

RECORD_FILE = BUILTIN_FOLDER / "two-neighbours.json"

ReadOut = Literal["linear", "mlp"]


class Outcome(Record):
    """One trained layer: its accuracy on new rows, and its attention maps.

    `left`, `right` and `both` are the shares of tokens whose left, right or both neighbours are
    predicted. `weights` has shape (n_heads, length, length).
    """

    n_heads: int
    read_out: ReadOut
    seed: int
    parameters: int
    left: float
    right: float
    both: float
    weights: list[list[list[float]]]


class TwoNeighbours(Record):
    """The task, and the outcomes of all trained layers."""

    symbols: int
    length: int
    d_model: int
    steps: int
    test_rows: int
    command: str
    outcomes: list[Outcome]


def read_two_neighbours(record: Path = RECORD_FILE) -> TwoNeighbours:
    """Read the results of the experiment."""
    return TwoNeighbours.model_validate_json(record.read_bytes())
