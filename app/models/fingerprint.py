"""Digest and size of the files that a model's weights were read from."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path


@dataclass(frozen=True)
class Fingerprint:
    """SHA-256 and total size in bytes of weight files, at the time they were read."""

    sha256: str
    n_bytes: int


def fingerprint_of(files: Sequence[Path]) -> Fingerprint:
    """Return the fingerprint of the weight files of one model."""
    return Fingerprint(sha256_of(*files), sum(file.stat().st_size for file in files))


def sha256_of(*files: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal.

    For several files, return the SHA-256 of their concatenated hexadecimal digests.
    """
    digests = []
    for file in files:
        with file.open("rb") as content:
            digests.append(file_digest(content, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else sha256("".join(digests).encode()).hexdigest()
