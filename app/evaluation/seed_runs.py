"""Training runs from several seeds: how much the loss varies by chance."""

from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import mean, stdev

from app.models.card import ValidationPoint
from app.models.record import Record

T_97_5 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""97.5 % quantiles of Student's t distribution by degrees of freedom."""

NORMAL_97_5 = 1.96


@dataclass(frozen=True)
class LossDifference:
    """The mean change of the loss in nats with its 95 % confidence interval, `low` to `high`."""

    mean: float
    low: float
    high: float

    @property
    def is_lower(self) -> bool:
        """Whether the whole interval is below 0: the loss falls, whatever the seed."""
        return self.high < 0


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

    def mean_loss(self, n_heads: int) -> float:
        """Return the mean of `losses`."""
        return mean(self.losses(n_heads))

    def difference(self, n_heads: int, baseline: int) -> LossDifference | None:
        """Return by how much the loss with `n_heads` exceeds that with `baseline` heads.

        Runs are paired by seed. The interval is that of Student's t distribution. Returns None if
        fewer than two seeds are in both.
        """
        losses = {(run.n_heads, run.seed): run.validation_loss for run in self.runs}
        differences = [
            losses[n_heads, seed] - losses[baseline, seed]
            for seed in self.seeds
            if (n_heads, seed) in losses and (baseline, seed) in losses
        ]
        if len(differences) < 2:
            return None
        quantile = T_97_5.get(len(differences) - 1, NORMAL_97_5)
        half_width = quantile * stdev(differences) / sqrt(len(differences))
        middle = mean(differences)
        return LossDifference(middle, middle - half_width, middle + half_width)

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
