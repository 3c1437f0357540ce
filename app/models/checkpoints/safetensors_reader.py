"""Tensors of a checkpoint's safetensors files, each read when it is asked for. Nothing is ever
unpickled, and nothing is read before every extent of its file has been checked.
"""

import json
import re
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from app.models.checkpoints.errors import CheckpointError

SHARD_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}\.safetensors")
"""What an index may name: a file beside it, and nothing that a path or a log would take amiss."""

WEIGHTS_FILE, INDEX_FILE = "model.safetensors", "model.safetensors.index.json"
PICKLE_PATTERNS = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")

DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
}
"""Kinds of numbers that are read; bfloat16 is the upper half of a float32."""

DTYPE_SIZES = {"F32": 4, "F16": 2, "BF16": 2}

Array = NDArray[np.float32]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class TensorLocation:
    """Where a tensor lies in a file, in bytes from its start."""

    file: Path
    dtype: str
    shape: Shape
    begin: int
    end: int


class SafetensorsReader:
    """Raises `CheckpointError` if there is no file, or one that is damaged."""

    def __init__(self, folder: Path) -> None:
        self.files = weight_files(folder)
        self._locations: dict[str, TensorLocation] = {}
        self._used: set[str] = set()
        for file in self.files:
            for name, location in read_header(file).items():
                if name in self._locations:
                    raise CheckpointError(f"{name} is in {self._locations[name].file.name} and in"
                                          f" {file.name}")  # fmt: skip
                self._locations[name] = location

    def unused(self, prefix: str) -> list[str]:
        """Names that begin so and were not asked for."""
        return sorted(
            name for name in self._locations.keys() - self._used if name.startswith(prefix)
        )

    def __contains__(self, name: object) -> bool:
        return name in self._locations

    @property
    def n_parameters(self) -> int:
        """How many numbers were read, each tensor counted once."""
        return sum(prod(self.shape(name)) for name in self._used)

    def shape(self, name: str) -> Shape:
        return self._locations[name].shape

    def mapped(self, name: str) -> NDArray[Any]:
        """The numbers as they lie in the file, of one of the kinds `DTYPES`, mapped into memory.

        Raises `CheckpointError` for numbers of another kind.
        """
        location = self._locations[name]
        if location.dtype not in DTYPES:
            known = ", ".join(DTYPES)
            raise CheckpointError(f"{name} is stored as {location.dtype}; read are {known}")
        array: NDArray[Any] = np.memmap(
            location.file, DTYPES[location.dtype], "r", offset=location.begin, shape=location.shape
        )
        return array

    def read_into(self, name: str, out: Array, *, transposed: bool = False) -> None:
        """Writes a tensor, widened to float32, into an array of its shape, or of that turned round.

        Raises `CheckpointError` for numbers that are none.
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
            raise CheckpointError(f"{name} holds numbers that are infinite or none at all")


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights: one, or those of an index."""
    if (folder / WEIGHTS_FILE).is_file():
        return [folder / WEIGHTS_FILE]
    if (folder / INDEX_FILE).is_file():
        return _shard_files(folder)
    pickles = sorted(file.name for pattern in PICKLE_PATTERNS for file in folder.glob(pattern))
    if pickles:
        raise CheckpointError(
            f"its weights are pickled ({pickles[0]}), and a pickle can run any program, so"
            " Headwise never opens one. Save it anew where it came from, with"
            " model.save_pretrained(folder), which writes model.safetensors"
        )
    raise CheckpointError(f"neither {WEIGHTS_FILE} nor {INDEX_FILE} is here")


def _shard_files(folder: Path) -> list[Path]:
    names = shard_names(folder)
    for name in names:
        if not (folder / name).is_file():
            raise CheckpointError(f"{name}, named by {INDEX_FILE}, is missing")
    return [folder / name for name in names]


def shard_names(folder: Path) -> list[str]:
    """The files that an index names."""
    try:
        index = json.loads((folder / INDEX_FILE).read_bytes())
        names = sorted(set(index["weight_map"].values()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{INDEX_FILE} cannot be read: {error!r}") from error
    for name in names:
        if not isinstance(name, str) or not SHARD_NAME.fullmatch(name):
            raise CheckpointError(
                f"{INDEX_FILE} names {str(name)[:80]!r}, which is no file beside it"
            )
    if not names:
        raise CheckpointError(f"{INDEX_FILE} names no file")
    return names


def read_header(file: Path) -> dict[str, TensorLocation]:
    """Where each tensor of a file lies. Raises `CheckpointError` if an extent does not fit.

    The library opens the file first and holds its header to the format; what is read of it then
    are the extents, which it does not tell.
    """
    try:
        with safe_open(file, framework="numpy"):
            pass
        size = file.stat().st_size
        with file.open("rb") as content:
            length = int.from_bytes(content.read(8), "little")
            header = json.loads(content.read(length))
    except (OSError, SafetensorError, ValueError, RecursionError, MemoryError) as error:
        raise CheckpointError(f"{file.name} is damaged or cut short: {error}") from error
    header.pop("__metadata__", None)
    locations = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        shape, dtype = tuple(entry["shape"]), entry["dtype"]
        fits = dtype not in DTYPE_SIZES or end - begin == prod(shape) * DTYPE_SIZES[dtype]
        if not (8 + length <= begin <= end <= size and fits):
            raise CheckpointError(f"{file.name} is damaged: {name} lies outside of it")
        locations[name] = TensorLocation(file, dtype, shape, begin, end)
    return locations
