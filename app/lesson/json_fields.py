"""How the fields of a dataclass appear in the JSON of the API."""

from dataclasses import fields
from typing import Any

NOT_IN_JSON = {"not_in_json": True}
"""Field metadata: leave the field out."""


def json_name(name: str) -> dict[str, str]:
    """Field metadata: use `name` in JSON. Names in the API stay when a field is renamed."""
    return {"json_name": name}


def json_fields(value: Any) -> dict[str, object]:  # noqa: ANN401
    """Return the fields of a dataclass instance by their names in JSON."""
    return {
        field.metadata.get("json_name", field.name): getattr(value, field.name)
        for field in fields(value)
        if not field.metadata.get("not_in_json")
    }
