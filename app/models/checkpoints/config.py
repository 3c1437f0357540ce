"""Configurations, whose values are checked one by one: a file may contain anything."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.models.checkpoints.errors import CheckpointError

MAX_SIZE = 10_000_000
"""Larger sizes are refused."""

ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
    "relu": "relu",
}
"""Names of activations in config.json, mapped to those in `app.attention.activations`."""

LM_HEAD_CLASS_SUFFIXES = ("ForCausalLM", "LMHeadModel", "DoubleHeadsModel")
"""Endings of the names of transformers' classes that use a tied embedding as LM head."""


class Config:
    """The values of a configuration; `file_name` is used in messages.

    All methods raise `CheckpointError` for a value that is missing or invalid.
    """

    def __init__(self, values: Mapping[str, Any], file_name: str = "config.json") -> None:
        self.values = values
        self.file_name = file_name

    @classmethod
    def read(cls, file: Path) -> "Config":
        try:
            values = json.loads(file.read_bytes())
        except FileNotFoundError:
            raise CheckpointError(f"{file.name} is missing: this is not a checkpoint") from None
        except (OSError, ValueError, RecursionError) as error:
            raise CheckpointError(f"{file.name} cannot be read: {error}") from error
        if not isinstance(values, dict):
            raise CheckpointError(f"{file.name} is not a JSON object")
        return cls(values, file.name)

    def get(self, name: str, default: object = None) -> Any:  # noqa: ANN401
        """Return a value, or `default` if it is absent or null."""
        value = self.values.get(name)
        return default if value is None else value

    def size(self, name: str, default: int | None = None) -> int:
        """Return an integer from 1 to `MAX_SIZE`."""
        value = self.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_SIZE:
            raise self._invalid(name, value, "a positive size")
        return value

    def number(self, name: str, default: float) -> float:
        """Return a finite number above 0."""
        value = self.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
            raise self._invalid(name, value, "a positive number")
        return float(value)

    def flag(self, name: str, default: bool) -> bool:
        value = self.get(name, default)
        if not isinstance(value, bool):
            raise self._invalid(name, value, "true or false")
        return value

    def activation(self, name: str, default: str) -> str:
        """Return the name of an activation in `app.attention.activations`."""
        value = self.get(name, default)
        if not isinstance(value, str) or value not in ACTIVATIONS:
            raise CheckpointError(
                f"{self.file_name}: {name} is {_quoted(value)}; supported are"
                f" {', '.join(ACTIVATIONS)}"
            )
        return ACTIVATIONS[value]

    def has_lm_head(self) -> bool:
        """Return whether the model was saved with an LM head; True if the file does not say."""
        class_names = self.get("architectures", [])
        if not isinstance(class_names, list) or not all(
            isinstance(kind, str) for kind in class_names
        ):
            raise self._invalid("architectures", class_names, "a list of names")
        return not class_names or any(kind.endswith(LM_HEAD_CLASS_SUFFIXES) for kind in class_names)

    def reject_if(self, condition: object, reason: str) -> None:
        """Raise `CheckpointError` with the reason if the condition is true."""
        if condition:
            raise CheckpointError(reason)

    def _invalid(self, name: str, value: object, expected: str) -> CheckpointError:
        if value is None:
            return CheckpointError(f"{self.file_name}: {name} is missing")
        return CheckpointError(f"{self.file_name}: {name} is {_quoted(value)}, not {expected}")


def _quoted(value: object) -> str:
    return repr(value)[:60]
