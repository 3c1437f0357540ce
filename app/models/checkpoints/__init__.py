"""Checkpoints in Hugging Face's layout: config.json, model.safetensors and tokenizer.json."""

from app.models.checkpoints.errors import CheckpointError
from app.models.checkpoints.loader import Checkpoints, read_checkpoint, read_checkpoints

__all__ = ["CheckpointError", "Checkpoints", "read_checkpoint", "read_checkpoints"]
