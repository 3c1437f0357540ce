"""What links of each version of a lesson leave unsaid: a link is short, and opens for ever.

A link names the version of the lesson and says only what differs from its defaults.
`python -m app.lesson --freeze` writes the defaults of the version at hand, and the weights that
they were looked at with, into `releases.json` beside the lesson; what stands there never changes.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from app.lesson.schema import Defaults
from app.models import Registry

VERSIONS_FILE = "releases.json"


class Version(BaseModel):
    """`steps` holds each step's defaults by its slug, `models` the SHA-256 of trained weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: dict[str, str]
    steps: dict[str, Defaults]


VERSIONS_ADAPTER = TypeAdapter(dict[str, Version])


def read_versions(folder: Path) -> dict[str, Version]:
    """By version; none where nothing was frozen. Raises `ValueError` for a file that is broken."""
    file = folder / VERSIONS_FILE
    return VERSIONS_ADAPTER.validate_json(file.read_bytes()) if file.is_file() else {}


def snapshot(steps: Iterable[tuple[str, Defaults]], models: Registry) -> Version:
    """The steps as they stand, by slug, with the models that there are."""
    trained = models.of_kind("trained")
    return Version(
        models={model.card.id: model.weights_sha256 for model in trained}, steps=dict(steps)
    )


def write_versions(folder: Path, versions: Mapping[str, Version]) -> None:
    json_value = {version: contents.model_dump() for version, contents in versions.items()}
    text = json.dumps(json_value, indent=1, ensure_ascii=False)
    (folder / VERSIONS_FILE).write_text(f"{text}\n", encoding="utf-8")
