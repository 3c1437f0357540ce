"""Read tensors from safetensors files.

Headers are checked before any tensor is read. Tensors are read on request. Nothing is unpickled.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from app.models.checkpoints.errors import CheckpointError

SHARD_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}\.safetensors")
"""File names that an index may contain: no folders, and nothing unsafe in a path or a log."""

WEIGHTS_FILE, INDEX_FILE = "model.safetensors", "model.safetensors.index.json"
PICKLE_PATTERNS = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")

DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
}
"""Supported dtypes. NumPy has no bfloat16, which is the upper half of a float32: read as integers,
the bits are shifted into place."""

DTYPE_SIZES = {"F32": 4, "F16": 2, "BF16": 2}

Array = NDArray[np.float32]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class TensorLocation:
    """Position of a tensor in a file, in bytes from its start."""

    file: Path
    dtype: str
    shape: Shape
    begin: int
    end: int


class SafetensorsReader:
    """The tensors of one or several files. Raises `CheckpointError` for a damaged file."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = files
        self._locations: dict[str, TensorLocation] = {}
        self._used: set[str] = set()
        for file in files:
            for name, location in read_header(file).items():
                if name in self._locations:
                    other_file = self._locations[name].file
                    raise CheckpointError(f"{name} is in {other_file.name} and in {file.name}")
                self._locations[name] = location

    def unused(self, prefix: str = "") -> list[str]:
        """Return the names with this prefix that were not read, sorted."""
        return sorted(
            name for name in self._locations.keys() - self._used if name.startswith(prefix)
        )

    def __contains__(self, name: object) -> bool:
        return name in self._locations

    @property
    def n_parameters(self) -> int:
        """Number of values in all tensors that were read."""
        return sum(prod(self.shape(name)) for name in self._used)

    def shape(self, name: str) -> Shape:
        return self._locations[name].shape

    def mapped(self, name: str) -> NDArray[Any]:
        """Map a tensor into memory, in one of `DTYPES`.

        Raises `CheckpointError` for another dtype.
        """
        location = self._locations[name]
        if location.dtype not in DTYPES:
            raise CheckpointError(
                f"{name} is stored as {location.dtype}; supported are {', '.join(DTYPES)}"
            )
        array: NDArray[Any] = np.memmap(
            location.file, DTYPES[location.dtype], "r", offset=location.begin, shape=location.shape
        )
        return array

    def read_into(self, name: str, out: Array, *, transposed: bool = False) -> None:
        """Copy a tensor, or its transpose, into `out` as float32.

        Raises `CheckpointError` if it contains infinity or NaN, or has an unsupported dtype.
        """
        self._used.add(name)
        stored = self.mapped(name)
        rows = stored.T if transposed else stored
        if self._locations[name].dtype == "BF16":
            bits = out.view(np.uint32)
            bits[...] = rows
            np.left_shift(bits, 16, out=bits)
        else:
            out[...] = rows
        with np.errstate(invalid="ignore", over="ignore"):
            total = np.add.reduce(out, axis=None, dtype=np.float64)
        if not np.isfinite(total):
            raise CheckpointError(f"{name} contains infinity or NaN")


def weight_files(folder: Path) -> list[Path]:
    """Return the weight files in a folder: one, or those listed in an index.

    Raises `CheckpointError` if there are none.
    """
    if (folder / WEIGHTS_FILE).is_file():
        return [folder / WEIGHTS_FILE]
    if (folder / INDEX_FILE).is_file():
        return _shard_files(folder)
    pickles = sorted(file.name for pattern in PICKLE_PATTERNS for file in folder.glob(pattern))
    if pickles:
        raise CheckpointError(
            f"its weights are pickled ({pickles[0]}). A pickle can run any program, so Headwise"
            " never opens one. Save the model again with model.save_pretrained(folder), which"
            " writes model.safetensors"
        )
    raise CheckpointError(f"it contains neither {WEIGHTS_FILE} nor {INDEX_FILE}")


def _shard_files(folder: Path) -> list[Path]:
    names = shard_names(folder)
    for name in names:
        if not (folder / name).is_file():
            raise CheckpointError(f"{name}, listed in {INDEX_FILE}, is missing")
    return [folder / name for name in names]


def shard_names(folder: Path) -> list[str]:
    """Return the file names in the index of a folder, sorted. Raises `CheckpointError`."""
    try:
        index = json.loads((folder / INDEX_FILE).read_bytes())
        names = sorted(set(index["weight_map"].values()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{INDEX_FILE} cannot be read: {error!r}") from error
    for name in names:
        if not isinstance(name, str) or not SHARD_NAME.fullmatch(name):
            raise CheckpointError(
                f"{INDEX_FILE} lists {str(name)[:80]!r}, which is not a safetensors file in its"
                " folder"
            )
    if not names:
        raise CheckpointError(f"{INDEX_FILE} lists no files")
    return names


def read_header(file: Path) -> dict[str, TensorLocation]:
    """Return the location of each tensor in a file.

    `safe_open` validates the header, but does not return byte offsets, so they are read again.
    Raises `CheckpointError` if the file is damaged.
    """
    try:
        with safe_open(file, framework="numpy"):
            pass
        size = file.stat().st_size
        with file.open("rb") as content:
            length = int.from_bytes(content.read(8), "little")
            header = json.loads(content.read(length))
    except (OSError, SafetensorError, ValueError, RecursionError, MemoryError) as error:
        raise CheckpointError(f"{file.name} is damaged or incomplete: {error}") from error
    header.pop("__metadata__", None)
    locations = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        shape, dtype = tuple(entry["shape"]), entry["dtype"]
        fits = dtype not in DTYPE_SIZES or end - begin == prod(shape) * DTYPE_SIZES[dtype]
        if not (8 + length <= begin <= end <= size and fits):
            raise CheckpointError(f"{file.name} is damaged: {name} lies outside the file")
        locations[name] = TensorLocation(file, dtype, shape, begin, end)
    return locations
