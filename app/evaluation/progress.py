"""How far a long measurement has come."""

import sys
from collections.abc import Iterable, Sequence
from types import TracebackType

from tqdm import tqdm

from app.evaluation.head_statistics import Item, Progress


class ProgressBar(Progress):
    """A bar over all sentences that will be read; where no terminal shows it, a line a stage."""

    def __init__(self, n_sentences: int) -> None:
        # disable=None: tqdm draws nothing unless it writes to a terminal.
        self._bar = tqdm(total=n_sentences, unit=" sentences", disable=None, file=sys.stderr)
        self._stage = ""

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def track(self, stage: str, items: Sequence[Item]) -> Iterable[Item]:
        self._show_stage(stage)
        for item in items:
            yield item
            self._bar.update()

    def _show_stage(self, stage: str) -> None:
        if stage == self._stage:
            return
        self._stage = stage
        if self._bar.disable:
            print(stage, file=sys.stderr, flush=True)  # noqa: T201
        else:
            self._bar.set_description(stage)
