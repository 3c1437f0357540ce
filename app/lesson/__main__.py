"""Check lessons: `python -m app.lesson [FOLDER]` reports every issue with its file and line.

With `--freeze`, first record the current version of each lesson in its releases.json.
"""

import argparse
import sys
from pathlib import Path

from app.evaluation.registry import EvaluatedRegistry, load_evidence
from app.lesson.loader import load_lessons
from app.lesson.versions import FREEZE_COMMAND, VERSIONS_FILE, read_versions, write_versions
from app.models import load_builtin_models
from app.settings import Settings


def freeze(folder: Path, models: EvaluatedRegistry) -> None:
    """Record the current version of each lesson. Values already recorded do not change."""
    for lesson in load_lessons(folder, models).lessons:
        name, current = lesson.config.version, lesson.snapshot(models)
        try:
            versions = read_versions(folder / lesson.slug)
        except ValueError:  # load_lessons reports the file
            continue
        if name is None:
            continue
        recorded = versions.get(name)
        frozen = recorded.extend(current) if recorded else current
        if frozen != recorded:
            write_versions(folder / lesson.slug, versions | {name: frozen})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Settings().lessons)
    parser.add_argument("--freeze", action="store_true")
    args = parser.parse_args()
    models, _ = load_evidence(load_builtin_models())
    if args.freeze:
        freeze(args.folder, models)
    library = load_lessons(args.folder, models)
    for issue in library.issues:
        print(issue, file=sys.stderr)  # noqa: T201
    for lesson in library.lessons:
        for step in lesson.unrecorded_steps:
            print(  # noqa: T201
                f"{args.folder / lesson.slug / VERSIONS_FILE}: step {step.slug} is not recorded in"
                f" version {lesson.config.version} yet. Its links spell out every value until you"
                f" run {FREEZE_COMMAND}."
            )
    n_steps = sum(len(lesson.steps) for lesson in library.lessons)
    print(f"Lessons: {len(library.lessons)}. Steps without issues: {n_steps}.")  # noqa: T201
    return 1 if library.issues else 0


if __name__ == "__main__":
    sys.exit(main())
