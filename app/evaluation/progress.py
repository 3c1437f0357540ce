"""Progress of a long measurement."""

import sys
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


class Progress:
    """Receives the items of each stage before they are processed; this class ignores them."""

    def track(self, stage: str, items: Sequence[Item]) -> Iterable[Item]:  # noqa: ARG002
        """Yield the items of a stage."""
        return items


NO_PROGRESS = Progress()


class ProgressBar(Progress):
    """A progress bar over the sentences of all stages; without a terminal, one line per stage."""

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
