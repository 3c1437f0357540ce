"""Versions of a lesson: the defaults that links leave out, and the questions that they answer.

A link names a version and contains only the values that differ from the defaults of that version.
`python -m app.lesson --freeze` records the defaults and the digests of the trained weights in
`releases.json`. Recorded values never change, so that a link opens the same view for ever.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from app.lesson.schema import Defaults, StepConfig
from app.models import Registry

VERSIONS_FILE = "releases.json"
FREEZE_COMMAND = "python -m app.lesson --freeze"


class Version(BaseModel):
    """What links of a version leave out.

    models: the SHA-256 of each trained model by its id.
    steps: the defaults of each step by its slug.
    questions: what the question of each step is computed by; none in versions whose pages showed
        everything before the learner had predicted.
    missing_word: the word that asks if a link names none and its sentence is not the default one:
        the first or the longest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: dict[str, str]
    steps: dict[str, Defaults]
    questions: dict[str, str] = {}
    missing_word: Literal["first", "longest"] = "first"

    def asks(self, slug: str, computed_by: str) -> bool:
        """Return whether the step asked this question.

        If not, a link's answer has no meaning any more, and its view shows everything.
        """
        return self.questions.get(slug) == computed_by

    def extend(self, current: "Version") -> "Version":
        """Return this version with the steps and models that only `current` has."""
        new_questions = {
            slug: question for slug, question in current.questions.items() if slug not in self.steps
        }
        return Version(
            models=current.models | self.models,
            steps=current.steps | self.steps,
            questions=new_questions | self.questions,
            missing_word=self.missing_word,
        )

    def changed_in(self, current: "Version") -> list[str]:
        """Return the models and steps recorded here whose values differ in `current`.

        A missing model counts as changed. Missing steps are left to `missing_from`.
        """
        models = [name for name in self.models if current.models.get(name) != self.models[name]]
        steps = [
            slug
            for slug, defaults in self.steps.items()
            if slug in current.steps
            and (current.steps[slug] != defaults or self._asks_something_else(slug, current))
        ]
        return models + steps

    def _asks_something_else(self, slug: str, current: "Version") -> bool:
        return slug in self.questions and self.questions[slug] != current.questions.get(slug)

    def missing_from(self, slugs: Collection[str]) -> list[str]:
        """Return the recorded steps that are not among `slugs`."""
        return [slug for slug in self.steps if slug not in slugs]


VERSIONS_ADAPTER = TypeAdapter(dict[str, Version])


def read_versions(folder: Path) -> dict[str, Version]:
    """Return the recorded versions by name. Raises pydantic's `ValidationError`, a `ValueError`,
    if the file is invalid."""
    file = folder / VERSIONS_FILE
    return VERSIONS_ADAPTER.validate_json(file.read_bytes()) if file.is_file() else {}


def snapshot(steps: Iterable[tuple[str, StepConfig]], models: Registry) -> Version:
    """Return the current values of the steps (slug, config) and of the trained models."""
    configs = dict(steps)
    return Version(
        models={model.card.id: model.weights_sha256 for model in models.of_kind("trained")},
        steps={slug: config.defaults for slug, config in configs.items()},
        questions={slug: config.predict.computed_by for slug, config in configs.items()},
        missing_word="longest",
    )


def write_versions(folder: Path, versions: Mapping[str, Version]) -> None:
    json_value = {name: _without_defaults(version) for name, version in versions.items()}
    text = json.dumps(json_value, indent=1, ensure_ascii=False)
    (folder / VERSIONS_FILE).write_text(f"{text}\n", encoding="utf-8")


def _without_defaults(version: Version) -> dict[str, object]:
    """Return a version as JSON; keys that older versions did not have stay out of them."""
    values = version.model_dump()
    if not version.questions:
        del values["questions"]
    if version.missing_word == "first":
        del values["missing_word"]
    return values


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
