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

FILE = "releases.json"


class Release(BaseModel):
    """`steps` holds each step's defaults by its slug, `models` the SHA-256 of trained weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: dict[str, str]
    steps: dict[str, Defaults]


Releases = TypeAdapter(dict[str, Release])


def read_releases(folder: Path) -> dict[str, Release]:
    """By version; none where nothing was frozen. Raises `ValueError` for a file that is broken."""
    file = folder / FILE
    return Releases.validate_json(file.read_bytes()) if file.is_file() else {}


def frozen(steps: Iterable[tuple[str, Defaults]], models: Registry) -> Release:
    """The steps as they stand, by slug, with the models that there are."""
    trained = models.of_source("trained")
    return Release(
        models={model.card.id: model.weights_sha256 for model in trained}, steps=dict(steps)
    )


def write_releases(folder: Path, releases: Mapping[str, Release]) -> None:
    plain = {version: release.model_dump() for version, release in releases.items()}
    text = json.dumps(plain, indent=1, ensure_ascii=False)
    (folder / FILE).write_text(f"{text}\n", encoding="utf-8")
