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

SHARD = re.compile(r"[A-Za-z0-9._-]{1,200}\.safetensors")
"""What an index may name: a file beside it, and nothing that a path or a log would take amiss."""

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")

STORED: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
}
"""Kinds of numbers that are read; bfloat16 is the upper half of a float32."""

SIZES = {"F32": 4, "F16": 2, "BF16": 2}

Array = NDArray[np.float32]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Place:
    """Where a tensor lies in a file, in bytes from its start."""

    file: Path
    dtype: str
    shape: Shape
    begin: int
    end: int


class Tensors:
    """Raises `CheckpointError` if there is no file, or one that is damaged."""

    def __init__(self, folder: Path) -> None:
        self.files = weight_files(folder)
        self._places: dict[str, Place] = {}
        self._read: set[str] = set()
        for file in self.files:
            for name, place in places(file).items():
                if name in self._places:
                    raise CheckpointError(f"{name} is in {self._places[name].file.name} and in"
                                          f" {file.name}")  # fmt: skip
                self._places[name] = place

    def unread(self, prefix: str) -> list[str]:
        """Names that begin so and were not asked for."""
        return sorted(name for name in self._places.keys() - self._read if name.startswith(prefix))

    def __contains__(self, name: object) -> bool:
        return name in self._places

    @property
    def n_read(self) -> int:
        """How many numbers were read, each tensor counted once."""
        return sum(prod(self.shape(name)) for name in self._read)

    def shape(self, name: str) -> Shape:
        return self._places[name].shape

    def stored(self, name: str) -> NDArray[Any]:
        """The numbers as they lie in the file, of one of the kinds `STORED`, mapped into memory.

        Raises `CheckpointError` for numbers of another kind.
        """
        place = self._places[name]
        if place.dtype not in STORED:
            known = ", ".join(STORED)
            raise CheckpointError(f"{name} is stored as {place.dtype}; read are {known}")
        mapped: NDArray[Any] = np.memmap(
            place.file, STORED[place.dtype], "r", offset=place.begin, shape=place.shape
        )
        return mapped

    def put(self, name: str, into: Array, *, transposed: bool = False) -> None:
        """Writes a tensor, widened to float32, into an array of its shape, or of that turned round.

        Raises `CheckpointError` for numbers that are none.
        """
        self._read.add(name)
        stored = self.stored(name)
        rows = stored.T if transposed else stored
        if self._places[name].dtype == "BF16":
            bits = into.view(np.uint32)
            bits[...] = rows
            np.left_shift(bits, 16, out=bits)
        else:
            into[...] = rows
        with np.errstate(invalid="ignore", over="ignore"):
            total = np.add.reduce(into, axis=None, dtype=np.float64)
        if not np.isfinite(total):
            raise CheckpointError(f"{name} holds numbers that are infinite or none at all")


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights: one, or those of an index."""
    if (folder / WHOLE).is_file():
        return [folder / WHOLE]
    if (folder / INDEX).is_file():
        return _indexed(folder)
    pickles = sorted(file.name for pattern in PICKLES for file in folder.glob(pattern))
    if pickles:
        raise CheckpointError(
            f"its weights are pickled ({pickles[0]}), and a pickle can run any program, so"
            " Headwise never opens one. Save it anew where it came from, with"
            " model.save_pretrained(folder), which writes model.safetensors"
        )
    raise CheckpointError(f"neither {WHOLE} nor {INDEX} is here")


def _indexed(folder: Path) -> list[Path]:
    names = shards(folder)
    for name in names:
        if not (folder / name).is_file():
            raise CheckpointError(f"{name}, named by {INDEX}, is missing")
    return [folder / name for name in names]


def shards(folder: Path) -> list[str]:
    """The files that an index names."""
    try:
        index = json.loads((folder / INDEX).read_bytes())
        names = sorted(set(index["weight_map"].values()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{INDEX} cannot be read: {error!r}") from error
    for name in names:
        if not isinstance(name, str) or not SHARD.fullmatch(name):
            raise CheckpointError(f"{INDEX} names {str(name)[:80]!r}, which is no file beside it")
    if not names:
        raise CheckpointError(f"{INDEX} names no file")
    return names


def places(file: Path) -> dict[str, Place]:
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
    found = {}
    for name, told in header.items():
        begin, end = (8 + length + offset for offset in told["data_offsets"])
        shape, dtype = tuple(told["shape"]), told["dtype"]
        fits = dtype not in SIZES or end - begin == prod(shape) * SIZES[dtype]
        if not (8 + length <= begin <= end <= size and fits):
            raise CheckpointError(f"{file.name} is damaged: {name} lies outside of it")
        found[name] = Place(file, dtype, shape, begin, end)
    return found
