"""What every lab is given."""

from dataclasses import dataclass, field
from typing import Any

from app.models import Model, Registry, Sentence


@dataclass(frozen=True)
class LabView:
    """A sentence that fits the model, and what of it is chosen; all counted from 0."""

    sentence: Sentence
    model: Model
    layer: int
    head: int
    word: int
    models: Registry
    options: dict[str, Any] = field(default_factory=dict)
