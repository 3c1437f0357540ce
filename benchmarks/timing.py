"""Time several contenders in turn, so that other load on the machine affects all of them alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

ROUNDS = 60
WARM_UPS = 5
SECONDS_PER_TURN = 0.004


@dataclass(frozen=True)
class Spread:
    """Quartiles of some figures; `format` writes "1.23 (1.20–1.31)"."""

    low: float
    median: float
    high: float

    @staticmethod
    def from_samples(figures: Sequence[float]) -> "Spread":
        return Spread(*quantiles(figures, n=4))

    def scaled_by(self, factor: float) -> "Spread":
        return Spread(self.low * factor, self.median * factor, self.high * factor)

    def __format__(self, format_spec: str) -> str:
        return f"{self.median:{format_spec}} ({self.low:{format_spec}}–{self.high:{format_spec}})"


@dataclass(frozen=True)
class Timing:
    """Seconds per call, one figure per round. Rounds with the same index ran at the same time."""

    rounds: list[float]

    @property
    def microseconds(self) -> float:
        return median(self.rounds) * 1e6

    def ratio(self, baseline: "Timing") -> Spread:
        """Return the spread of the ratios, round by round."""
        pairs = zip(self.rounds, baseline.rounds, strict=True)
        return Spread.from_samples([ours / theirs for ours, theirs in pairs])


def time_interleaved(
    contenders: dict[str, Callable[[], object]], *, rounds: int = ROUNDS
) -> dict[str, Timing]:
    """Run each contender for a few milliseconds, in turn, after warm-up rounds."""
    calls = {name: _calls_per_turn(contender) for name, contender in contenders.items()}
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(WARM_UPS + rounds):
        for name, contender in contenders.items():
            sample = _seconds_per_call(contender, calls[name])
            if number >= WARM_UPS:
                samples[name].append(sample)
    return {name: Timing(each) for name, each in samples.items()}


def _calls_per_turn(contender: Callable[[], object]) -> int:
    return max(1, int(SECONDS_PER_TURN / _seconds_per_call(contender, 3)))


def _seconds_per_call(contender: Callable[[], object], calls: int) -> float:
    """Return the mean of `calls` calls, after one call that fills the processor's caches."""
    contender()
    begin = perf_counter()
    for _ in range(calls):
        contender()
    return (perf_counter() - begin) / calls
