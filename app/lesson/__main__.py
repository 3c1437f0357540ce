"""Checks lessons: `python -m app.lesson [FOLDER]` names every mistake by file and line."""

import argparse
import sys
from pathlib import Path

from app.lesson.load import load_lessons
from app.models import shipped_family
from app.settings import Settings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Settings().lessons)
    library = load_lessons(parser.parse_args().folder, shipped_family())
    for mistake in library.mistakes:
        print(mistake, file=sys.stderr)  # noqa: T201
    n_steps = sum(len(lesson.steps) for lesson in library.lessons)
    print(f"{len(library.lessons)} lessons, {n_steps} steps without a mistake")  # noqa: T201
    return 1 if library.mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
