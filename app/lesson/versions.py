"""Versions of a lesson: the defaults that links leave out.

A link names a version and contains only the values that differ from the defaults of that version.
`python -m app.lesson --freeze` records the defaults and the digests of the trained weights in
`releases.json`. Recorded values never change, so that a link opens the same view for ever.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from app.lesson.schema import Defaults
from app.models import Registry

VERSIONS_FILE = "releases.json"
FREEZE_COMMAND = "python -m app.lesson --freeze"


class Version(BaseModel):
    """The defaults of each step by its slug, and the SHA-256 of each trained model by its id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: dict[str, str]
    steps: dict[str, Defaults]

    def extend(self, current: "Version") -> "Version":
        """Return this version with the steps and models that only `current` has."""
        return Version(models=current.models | self.models, steps=current.steps | self.steps)

    def changed_in(self, current: "Version") -> list[str]:
        """Return the models and steps recorded here whose values differ in `current`.

        A missing model counts as changed. Missing steps are left to `missing_from`.
        """
        models = [name for name in self.models if current.models.get(name) != self.models[name]]
        steps = [
            slug
            for slug, defaults in self.steps.items()
            if slug in current.steps and current.steps[slug] != defaults
        ]
        return models + steps

    def missing_from(self, slugs: Collection[str]) -> list[str]:
        """Return the recorded steps that are not among `slugs`."""
        return [slug for slug in self.steps if slug not in slugs]


VERSIONS_ADAPTER = TypeAdapter(dict[str, Version])


def read_versions(folder: Path) -> dict[str, Version]:
    """Return the recorded versions by name. Raises pydantic's `ValidationError`, a `ValueError`,
    if the file is invalid."""
    file = folder / VERSIONS_FILE
    return VERSIONS_ADAPTER.validate_json(file.read_bytes()) if file.is_file() else {}


def snapshot(steps: Iterable[tuple[str, Defaults]], models: Registry) -> Version:
    """Return the current values of the steps (slug, defaults) and of the trained models."""
    trained = models.of_kind("trained")
    return Version(
        models={model.card.id: model.weights_sha256 for model in trained}, steps=dict(steps)
    )


def write_versions(folder: Path, versions: Mapping[str, Version]) -> None:
    json_value = {name: version.model_dump() for name, version in versions.items()}
    text = json.dumps(json_value, indent=1, ensure_ascii=False)
    (folder / VERSIONS_FILE).write_text(f"{text}\n", encoding="utf-8")


def check_versions(
    versions: Mapping[str, Version],
    current_name: str | None,
    current: Version,
    broken_slugs: Collection[str],
) -> Iterator[str]:
    """Yield a message for everything that breaks links of a recorded version.

    Steps added since are no problem. `broken_slugs` name steps that exist but could not be loaded.
    """
    for name, recorded in versions.items():
        if missing := recorded.missing_from({*current.steps, *broken_slugs}):
            yield (
                f"links of version {name} lead to missing steps: {', '.join(missing)}."
                " Restore their files, or the names that the files had"
            )
    if current_name is None:
        return
    if current_name not in versions:
        yield f"version {current_name} is not in {VERSIONS_FILE} yet: {FREEZE_COMMAND}"
    elif changed := versions[current_name].changed_in(current):
        yield (
            f"links of version {current_name} would open something else:"
            f" {', '.join(changed)} changed. Name another version in lesson.toml,"
            f" then {FREEZE_COMMAND}"
        )
