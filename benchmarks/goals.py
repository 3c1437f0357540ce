"""Goals for speed and memory, and whether they are met."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A goal: the measured value must be at most `limit`, or at least that if `at_least`."""

    name: str
    limit: float
    unit: str = ""
    at_least: bool = False

    def format_value(self, figure: float) -> str:
        return f"{figure:.{2 if figure < 10 else 1}f} {self.unit}".rstrip()

    @property
    def limit_text(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Outcome:
    """The worst median among those that the goal covers, and where it was measured.

    If nothing was measured, `measured` is None and `where` says why.
    """

    goal: Goal
    measured: float | None
    where: str = ""

    @property
    def is_met(self) -> bool:
        if self.measured is None:
            return False
        goal = self.goal
        return self.measured >= goal.limit if goal.at_least else self.measured <= goal.limit

    @property
    def verdict(self) -> str:
        """Whether the goal is met, or by how many percent of the limit it was missed."""
        if self.measured is None:
            return "not measured"
        beyond = abs(self.measured - self.goal.limit) / self.goal.limit
        return "met" if self.is_met else f"missed by {beyond:.1%}".replace("%", " %")


def worst(goal: Goal, measurements: Iterable[tuple[float, str]]) -> Outcome:
    """Return the outcome of a goal: the worst of the measurements (median, where)."""
    figures = list(measurements)
    if not figures:
        return Outcome(goal, None, "nothing that it covers was measured")
    return Outcome(goal, *(min(figures) if goal.at_least else max(figures)))


LAYER_VS_MATMULS = {
    64: Goal("One layer / its matrix products, d_model 64", 2.0),
    128: Goal("One layer / its matrix products, d_model 128", 1.35),
    384: Goal("One layer / its matrix products, d_model 384 and more", 1.10),
}
"""By the smallest d_model that the goal covers."""

LAYER_VS_TORCH = Goal("One layer / torch.nn.MultiheadAttention, T ≤ 32 and d_model ≤ 384", 0.70)
MINILM_VS_HUGGING_FACE = Goal("MiniLM / Hugging Face eager, T ≤ 32", 0.75)
BUILTIN_MODEL_MAPS = Goal("Sentence to all maps of the family, T = 16", 1.0, "ms")
REPEATED_RATE = Goal("Repeated view, requests/s of the precomputed answer’s", 60, "%", True)
NEW_SENTENCE_RATE = Goal(
    "New sentence each time, requests/s of the precomputed answer’s", 12, "%", True
)
CLASS_P99 = Goal("200 learners, one request a second each, p99", 25, "ms")
START_TIME = Goal("Start to the first answer", 1.0, "s")
MEMORY = Goal("Resident memory after many views", 120, "MB")

GOALS = (
    *LAYER_VS_MATMULS.values(),
    LAYER_VS_TORCH,
    MINILM_VS_HUGGING_FACE,
    BUILTIN_MODEL_MAPS,
    REPEATED_RATE,
    NEW_SENTENCE_RATE,
    CLASS_P99,
    START_TIME,
    MEMORY,
)
