"""Contenders timed in turns, so that whatever else the machine does hits all of them alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

ROUNDS = 60
WARM_UPS = 5
SECONDS_A_TURN = 0.004


@dataclass(frozen=True)
class Spread:
    """The median of some figures and their middle half; `format` writes "1.23 (1.20–1.31)"."""

    low: float
    middle: float
    high: float

    @staticmethod
    def of(figures: Sequence[float]) -> "Spread":
        return Spread(*quantiles(figures, n=4))

    def times(self, factor: float) -> "Spread":
        return Spread(self.low * factor, self.middle * factor, self.high * factor)

    def __format__(self, each: str) -> str:
        return f"{self.middle:{each}} ({self.low:{each}}–{self.high:{each}})"


@dataclass(frozen=True)
class Timed:
    """Seconds a call, one figure a round; rounds of several contenders belong together."""

    rounds: list[float]

    @property
    def microseconds(self) -> float:
        return median(self.rounds) * 1e6

    def ratio(self, floor: "Timed") -> Spread:
        """Of the rounds' ratios."""
        pairs = zip(self.rounds, floor.rounds, strict=True)
        return Spread.of([ours / theirs for ours, theirs in pairs])


def interleaved(
    contenders: dict[str, Callable[[], object]], *, rounds: int = ROUNDS
) -> dict[str, Timed]:
    """Each contender for a few milliseconds, in turns, after warm-ups."""
    calls = {name: _calls_a_turn(contender) for name, contender in contenders.items()}
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(WARM_UPS + rounds):
        for name, contender in contenders.items():
            figure = _seconds(contender, calls[name])
            if number >= WARM_UPS:
                figures[name].append(figure)
    return {name: Timed(each) for name, each in figures.items()}


def _calls_a_turn(contender: Callable[[], object]) -> int:
    return max(1, int(SECONDS_A_TURN / _seconds(contender, 3)))


def _seconds(contender: Callable[[], object], calls: int) -> float:
    """Of each of so many calls, after one that brings the contender's arrays into the caches."""
    contender()
    begin = perf_counter()
    for _ in range(calls):
        contender()
    return (perf_counter() - begin) / calls
