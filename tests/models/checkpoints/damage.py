"""Change files of a checkpoint, and check that it is then refused."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from app.models.checkpoints import CheckpointError, read_checkpoint

REMOVE = "absent"
"""Value that makes `change_config` remove a key."""


def change_config(folder: Path, **changes: Any) -> Path:
    """Change values in config.json. Returns the folder."""
    file = folder / "config.json"
    values = json.loads(file.read_text()) | changes
    file.write_text(json.dumps({name: value for name, value in values.items() if value != REMOVE}))
    return folder


def change_tensors(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Call `change` with the tensors by name, and save them. Returns the folder."""
    file = folder / "model.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file, {"format": "pt"})
    return folder


def change_tokenizer(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Call `change` with the content of tokenizer.json, and save it. Returns the folder."""
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text("utf-8"))
    change(content)
    file.write_text(json.dumps(content), "utf-8")
    return folder


def check_refused(folder: Path, reason: str) -> None:
    """Check that the message names the folder and matches the pattern `reason`."""
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(folder)
    assert str(caught.value).startswith(f"{folder}: ")
    assert re.search(reason, str(caught.value)), str(caught.value)
