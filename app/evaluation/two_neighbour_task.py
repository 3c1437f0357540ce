"""The record of an exact experiment: where one head must fail, and where it need not.

`training/two_neighbours.py` makes it, and proves why.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.models.builtin import BUILTIN_FOLDER

RECORD_FILE = BUILTIN_FOLDER / "two-neighbours.json"

ReadOut = Literal["linear", "mlp"]


class Outcome(BaseModel):
    """One trained layer: shares of right answers on rows drawn anew, and its maps.

    `weights` is (n_heads, length, length).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_heads: int
    read_out: ReadOut
    seed: int
    parameters: int
    left: float
    right: float
    both: float
    weights: list[list[list[float]]]


class TwoNeighbours(BaseModel):
    """All outcomes, and the task they share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbols: int
    length: int
    d_model: int
    steps: int
    test_rows: int
    command: str
    outcomes: list[Outcome]


def read_two_neighbours(record: Path = RECORD_FILE) -> TwoNeighbours:
    return TwoNeighbours.model_validate_json(record.read_bytes())
