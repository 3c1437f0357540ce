"""Why a checkpoint is refused."""

from pathlib import Path

from app.models.tokenizer import tidy

MOST = 600
"""Characters of a reason: it may quote a file that holds anything."""


class CheckpointError(ValueError):
    """A folder that is no checkpoint Headwise can read; the message says why, and the way out."""


def refused(folder: Path, reason: object) -> CheckpointError:
    """The error as one line that a log and a page can hold."""
    told = str(reason)
    short = told if len(told) <= MOST else f"{told[:MOST]} …"
    return CheckpointError(tidy(f"{folder}: {short}"))
