"""Why a checkpoint is refused."""

from pathlib import Path


class CheckpointError(ValueError):
    """A folder that is no checkpoint Headwise can read; the message says why, and the way out."""


def refused(folder: Path, reason: object) -> CheckpointError:
    return CheckpointError(f"{folder}: {reason}")
