"""Errors about checkpoints."""

from pathlib import Path

from app.models.tokenizer import sanitise_text

MAX_REASON_LENGTH = 600
"""Characters of a reason: it may quote a file of any content."""


class CheckpointError(ValueError):
    """A folder is not a checkpoint that Headwise can read. The message says why."""


def checkpoint_error(folder: Path, reason: object) -> CheckpointError:
    """Return an error that names the folder, as one line of limited length."""
    message = str(reason)
    shortened = message if len(message) <= MAX_REASON_LENGTH else f"{message[:MAX_REASON_LENGTH]} …"
    return CheckpointError(sanitise_text(f"{folder}: {shortened}"))
