"""Functions over all arrays in nested dataclasses and tuples, such as a model or one layer."""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from app.attention.weights import Matrix


def arrays_of(tree: object) -> Iterator[Matrix]:
    """Yield every array, in the order of the fields."""
    if isinstance(tree, np.ndarray):
        yield tree
    elif isinstance(tree, tuple):
        for each in tree:
            yield from arrays_of(each)
    elif is_dataclass(tree):
        for field in fields(tree):
            yield from arrays_of(getattr(tree, field.name))


def map_arrays(tree: Any, function: Callable[[Matrix], Matrix]) -> Any:  # noqa: ANN401
    """Return a copy with `function` applied to every array; all other values are shared."""
    if isinstance(tree, np.ndarray):
        return function(tree)
    if isinstance(tree, tuple):
        return tuple(map_arrays(each, function) for each in tree)
    if not is_dataclass(tree) or isinstance(tree, type):
        return tree
    mapped = {f.name: map_arrays(getattr(tree, f.name), function) for f in fields(tree)}
    return replace(tree, **mapped)
