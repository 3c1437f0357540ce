"""The record of runs from several seeds: how far apart chance alone puts two models."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from app.models.card import ValidationPoint


class SeedRun(BaseModel):
    """One finished run; the last point of its curve is its outcome, in float32."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_heads: int
    seed: int
    curve: list[ValidationPoint]

    @property
    def validation_loss(self) -> float:
        return self.curve[-1].loss


class SeedRuns(BaseModel):
    """Runs that differ in seed and number of heads alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int
    tokens_a_step: int
    command: str
    runs: list[SeedRun]

    @property
    def seeds(self) -> list[int]:
        return sorted({run.seed for run in self.runs})

    def losses(self, n_heads: int) -> list[float]:
        """Validation losses of all seeds at one number of heads."""
        return [run.validation_loss for run in self.runs if run.n_heads == n_heads]

    @property
    def widest_spread(self) -> float:
        """The largest distance between two seeds of one number of heads, in nats."""
        spreads = [self.losses(n_heads) for n_heads in {run.n_heads for run in self.runs}]
        return max(max(losses) - min(losses) for losses in spreads)


def seed_runs_file(root: Path) -> Path:
    return root / "seeds.json"


def read_seed_runs(root: Path) -> SeedRuns | None:
    """The record, None if there is none."""
    file = seed_runs_file(root)
    return SeedRuns.model_validate_json(file.read_bytes()) if file.exists() else None
