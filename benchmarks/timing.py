"""Contenders timed in turns, so that whatever else the machine does hits all of them alike."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

ROUNDS = 60
WARM_UPS = 5
SECONDS_A_TURN = 0.004


@dataclass(frozen=True)
class Timed:
    """Seconds a call, one figure a round; rounds of several contenders belong together."""

    rounds: list[float]

    @property
    def microseconds(self) -> float:
        return median(self.rounds) * 1e6

    def ratio(self, floor: "Timed") -> str:
        """Median of the rounds' ratios, and their middle half."""
        ratios = [ours / theirs for ours, theirs in zip(self.rounds, floor.rounds, strict=True)]
        low, middle, high = quantiles(ratios, n=4)
        return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def interleaved(contenders: dict[str, Callable[[], object]]) -> dict[str, Timed]:
    """Each contender for a few milliseconds, in turns, after warm-ups."""
    calls = {name: _calls_a_turn(contender) for name, contender in contenders.items()}
    rounds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(WARM_UPS + ROUNDS):
        for name, contender in contenders.items():
            seconds = _seconds(contender, calls[name])
            if number >= WARM_UPS:
                rounds[name].append(seconds)
    return {name: Timed(figures) for name, figures in rounds.items()}


def _calls_a_turn(contender: Callable[[], object]) -> int:
    contender()
    return max(1, int(SECONDS_A_TURN / _seconds(contender, 3)))


def _seconds(contender: Callable[[], object], calls: int) -> float:
    begin = perf_counter()
    for _ in range(calls):
        contender()
    return (perf_counter() - begin) / calls
