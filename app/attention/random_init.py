"""Random weights in place of trained ones, to separate what training does from what it does not."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from app.attention.layers import LayerNorm, RMSNorm
from app.attention.transformer import Transformer
from app.attention.weights import Matrix

STANDARD_DEVIATION = 0.02


@lru_cache(maxsize=8)
def untrained_copy(model: Transformer, seed: int) -> Transformer:
    """Return a model of the same shapes with the weights of a model before training.

    Matrices are drawn from N(0, 0.02²), in the order of the fields. Biases are 0 and the gains of
    norms 1. A matrix that is used twice, such as a tied embedding, is drawn once.
    """
    rng = np.random.default_rng(seed)
    drawn: dict[int, Matrix] = {}

    def draw(matrix: Matrix) -> Matrix:
        if id(matrix) not in drawn:
            values = rng.normal(0.0, STANDARD_DEVIATION, matrix.shape)
            drawn[id(matrix)] = values.astype(matrix.dtype)
        return drawn[id(matrix)]

    copy: Transformer = _reinitialised(model, draw)
    return copy


def _reinitialised(module: Any, draw: Callable[[Matrix], Matrix]) -> Any:  # noqa: ANN401
    if isinstance(module, LayerNorm):
        return replace(module, gain=np.ones_like(module.gain), bias=np.zeros_like(module.bias))
    if isinstance(module, RMSNorm):
        return replace(module, gain=np.ones_like(module.gain))
    if isinstance(module, np.ndarray):
        return draw(module)
    if isinstance(module, tuple):
        return tuple(_reinitialised(each, draw) for each in module)
    if not is_dataclass(module) or isinstance(module, type):
        return module
    changed = {}
    for field in fields(module):
        value = getattr(module, field.name)
        is_bias = field.name.endswith("bias") and value is not None
        changed[field.name] = np.zeros_like(value) if is_bias else _reinitialised(value, draw)
    return replace(module, **changed)
