"""Where the stages leave their results for one another."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUILD = Path(__file__).parent / "build"
SPLITS = ("train", "valid")


def sentences_file(build: Path, split: str) -> Path:
    return build / f"{split}.sentences.txt"


def tokenizer_file(build: Path) -> Path:
    return build / "tokenizer.json"


def tokens_file(build: Path, split: str) -> Path:
    return build / f"{split}.tokens.npy"


def starts_file(build: Path, split: str) -> Path:
    return build / f"{split}.starts.npy"


def runs_folder(build: Path) -> Path:
    return build / "runs"


def run_folder(build: Path, name: str) -> Path:
    return runs_folder(build) / name


def checkpoint_file(run: Path) -> Path:
    return run / "checkpoint.safetensors"


def stage_parser(description: str | None) -> argparse.ArgumentParser:
    """A command line with the one option that every stage has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", type=Path, default=BUILD, help="folder of the stages' results")
    return parser


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yields a temporary path that replaces `path` only when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    yield partial
    partial.chmod(0o644)
    partial.replace(path)
