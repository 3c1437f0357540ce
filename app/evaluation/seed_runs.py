"""Training runs from several seeds: how much the loss varies by chance."""

from pathlib import Path

from app.models.card import ValidationPoint
from app.models.record import Record


class SeedRun(Record):
    """A finished training run; the last point of its curve is its result, in float32."""

    n_heads: int
    seed: int
    curve: list[ValidationPoint]

    @property
    def validation_loss(self) -> float:
        """Final validation loss in nats."""
        return self.curve[-1].loss


class SeedRuns(Record):
    """Training runs that differ only in seed and number of heads."""

    steps: int
    tokens_a_step: int
    command: str
    runs: list[SeedRun]

    @property
    def seeds(self) -> list[int]:
        """Seeds of the runs, sorted, without repeats."""
        return sorted({run.seed for run in self.runs})

    def losses(self, n_heads: int) -> list[float]:
        """Return the final validation losses of all seeds at one number of heads, in nats."""
        return [run.validation_loss for run in self.runs if run.n_heads == n_heads]

    @property
    def widest_spread(self) -> float:
        """Largest difference in nats between two seeds with the same number of heads."""
        spreads = [self.losses(n_heads) for n_heads in {run.n_heads for run in self.runs}]
        return max(max(losses) - min(losses) for losses in spreads)


def seed_runs_file(root: Path) -> Path:
    """Return the file of the record in the folder of the shipped models."""
    return root / "seeds.json"


def read_seed_runs(root: Path) -> SeedRuns | None:
    """Read the record, None if there is none."""
    file = seed_runs_file(root)
    return SeedRuns.model_validate_json(file.read_bytes()) if file.exists() else None
