"""Checks lessons: `python -m app.lesson [FOLDER]` names every mistake by file and line.

With `--freeze` it first writes down what links of each lesson's version leave unsaid.
"""

import argparse
import sys
from pathlib import Path

from app.lesson.loader import load_lessons
from app.lesson.versions import snapshot, write_versions
from app.models import Registry, load_builtin_models
from app.settings import Settings


def freeze(folder: Path, models: Registry) -> None:
    """Adds versions that are not frozen yet; those that are stay as they are."""
    for lesson in load_lessons(folder, models).lessons:
        version = lesson.config.version
        if version is None or version in lesson.versions:
            continue
        steps = [(step.slug, step.config.defaults) for step in lesson.steps]
        versions = {**lesson.versions, version: snapshot(steps, models)}
        write_versions(folder / lesson.slug, versions)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Settings().lessons)
    parser.add_argument("--freeze", action="store_true")
    args, models = parser.parse_args(), load_builtin_models()
    if args.freeze:
        freeze(args.folder, models)
    library = load_lessons(args.folder, models)
    for issue in library.issues:
        print(issue, file=sys.stderr)  # noqa: T201
    n_steps = sum(len(lesson.steps) for lesson in library.lessons)
    print(f"{len(library.lessons)} lessons, {n_steps} steps without a mistake")  # noqa: T201
    return 1 if library.issues else 0


if __name__ == "__main__":
    sys.exit(main())
