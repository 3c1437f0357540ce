"""The code of `textbook` as a listing for readers, which runs without Headwise."""

import ast
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from app.attention import textbook

PREAMBLE = """\
from math import sqrt

import numpy as np

Matrix = Mask = AttentionWeights = Rotary = np.ndarray  # names for readers; nothing checks them
"""

_FUNCTIONS: tuple[Callable[..., Any], ...] = (
    textbook.softmax,
    textbook.masked_scores,
    textbook.scaled_dot_product_attention,
    textbook.split_heads,
    textbook.repeat_kv,
    textbook.apply_rotary,
    textbook.merge_heads,
    textbook.zero_heads,
    textbook.multi_head_attention,
)


@cache
def textbook_listing() -> str:
    """Return multi-head attention in NumPy, without docstrings and input checks."""
    return "\n\n".join([PREAMBLE, *(_code_only(function) for function in _FUNCTIONS)])


def _code_only(function: Callable[..., Any]) -> str:
    """Return the function's source without docstrings, calls of checks and guards that raise."""
    source = inspect.getsource(function)
    (definition,) = ast.parse(source).body
    omitted_lines: set[int] = set()
    for statement in ast.walk(definition):
        is_guard = isinstance(statement, ast.If) and isinstance(statement.body[0], ast.Raise)
        if isinstance(statement, ast.Expr) or is_guard:
            assert isinstance(statement, ast.stmt)  # noqa: S101  # for mypy: has line numbers
            omitted_lines.update(range(statement.lineno, (statement.end_lineno or 0) + 1))
    lines = enumerate(source.splitlines(), start=1)
    return "\n".join(line for number, line in lines if number not in omitted_lines) + "\n"
