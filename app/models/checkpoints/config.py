"""`config.json`, whose figures are checked one by one: the file may hold anything."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.models.checkpoints.errors import CheckpointError

MAX_SIZE = 10_000_000
"""No size in a configuration is larger than this."""

ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
    "relu": "relu",
}
"""Names of activations in configurations, and in `app.attention.activations`."""

LM_HEAD_CLASS_SUFFIXES = ("ForCausalLM", "LMHeadModel", "DoubleHeadsModel")
"""How transformers' classes end whose embedding scores words too."""


class Config:
    """Raises `CheckpointError` for what is missing or makes no sense."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    @classmethod
    def read(cls, file: Path) -> "Config":
        try:
            values = json.loads(file.read_bytes())
        except FileNotFoundError:
            raise CheckpointError(
                "config.json is missing: this is no folder of a checkpoint"
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            raise CheckpointError(f"config.json cannot be read: {error}") from error
        if not isinstance(values, dict):
            raise CheckpointError("config.json holds no object")
        return cls(values)

    def get(self, name: str, default: object = None) -> Any:  # noqa: ANN401
        """The value, or `default` where it is absent or null."""
        value = self.values.get(name)
        return default if value is None else value

    def size(self, name: str, default: int | None = None) -> int:
        value = self.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_SIZE:
            raise CheckpointError(f"config.json: {name} is {_quoted(value)}, not a positive size")
        return value

    def number(self, name: str, default: float) -> float:
        value = self.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
            raise CheckpointError(f"config.json: {name} is {_quoted(value)}, not a positive number")
        return float(value)

    def flag(self, name: str, default: bool) -> bool:
        value = self.get(name, default)
        if not isinstance(value, bool):
            raise CheckpointError(f"config.json: {name} is {_quoted(value)}, not true or false")
        return value

    def activation(self, name: str, default: str) -> str:
        value = self.get(name, default)
        if not isinstance(value, str) or value not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise CheckpointError(
                f"the activation {_quoted(value)} is not known; there are {known}"
            )
        return ACTIVATIONS[value]

    def has_lm_head(self) -> bool:
        """Whether the model was saved with a head that scores words; it was if nothing is told."""
        class_names = self.get("architectures", [])
        if not isinstance(class_names, list) or not all(
            isinstance(kind, str) for kind in class_names
        ):
            raise CheckpointError(
                f"config.json: architectures is {_quoted(class_names)}, no list of names"
            )
        return not class_names or any(kind.endswith(LM_HEAD_CLASS_SUFFIXES) for kind in class_names)

    def reject_if(self, condition: object, reason: str) -> None:
        if condition:
            raise CheckpointError(reason)


def _quoted(value: object) -> str:
    return "missing" if value is None else repr(value)[:60]
