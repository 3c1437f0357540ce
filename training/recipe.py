"""Hyperparameters of a training run, and their command-line options."""

import argparse
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.models.card import ValidationPoint

PEAK_RATE = 2e-3


@dataclass(frozen=True)
class Recipe:
    """All hyperparameters of a run."""

    n_heads: int
    seed: int
    steps: int
    tokens_a_step: int
    peak_rate: float = PEAK_RATE
    final_share: float = 0.05
    warm_up: int = 500
    betas: tuple[float, float] = (0.9, 0.98)
    decay: float = 0.01
    clip: float = 1.0

    @property
    def name(self) -> str:
        peak = "" if self.peak_rate == PEAK_RATE else f"-peak{self.peak_rate:g}"
        return f"h{self.n_heads}-seed{self.seed}-{self.steps}x{self.tokens_a_step}{peak}"

    @property
    def command(self) -> str:
        peak = "" if self.peak_rate == PEAK_RATE else f" --peak-rate {self.peak_rate:g}"
        return (
            f"python -m training.train --heads {self.n_heads} --seed {self.seed}"
            f" --steps {self.steps} --tokens-a-step {self.tokens_a_step}{peak}"
        )

    def learning_rate(self, step: int) -> float:
        """Return the rate at a step: linear warm-up, then cosine decay to a share of the peak."""
        if step < self.warm_up:
            return self.peak_rate * (step + 1) / self.warm_up
        progress = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        cosine = 0.5 * (1 + math.cos(math.pi * progress))
        return self.peak_rate * (self.final_share + (1 - self.final_share) * cosine)


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that identify a run. The defaults are those of the shipped models."""
    parser.add_argument("--heads", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--tokens-a-step", type=int, default=3_072)
    parser.add_argument("--peak-rate", type=float, default=PEAK_RATE)


def recipe_from_arguments(arguments: argparse.Namespace) -> Recipe:
    return Recipe(
        arguments.heads,
        arguments.seed,
        arguments.steps,
        arguments.tokens_a_step,
        arguments.peak_rate,
    )


def validation_points(log: Iterable[Mapping[str, float]]) -> list[ValidationPoint]:
    """Return the loss curve from the log of a run."""
    return [
        ValidationPoint(
            step=int(point["step"]),
            loss=point["validation_loss"],
            accuracy=point["validation_accuracy"],
        )
        for point in log
    ]
