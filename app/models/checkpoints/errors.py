"""Why a checkpoint is refused."""

from pathlib import Path

from app.models.tokenizer import sanitise_text

MAX_REASON_LENGTH = 600
"""Characters of a reason: it may quote a file that holds anything."""


class CheckpointError(ValueError):
    """A folder that is no checkpoint Headwise can read; the message says why, and the way out."""


def checkpoint_error(folder: Path, reason: object) -> CheckpointError:
    """The error as one line that a log and a page can hold."""
    message = str(reason)
    shortened = message if len(message) <= MAX_REASON_LENGTH else f"{message[:MAX_REASON_LENGTH]} …"
    return CheckpointError(sanitise_text(f"{folder}: {shortened}"))
