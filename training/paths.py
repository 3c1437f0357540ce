"""Paths of the files that the stages exchange."""

import argparse
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
    """Return an argument parser with the option that all stages share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--build", type=Path, default=BUILD, help="folder for the results of the stages"
    )
    return parser
