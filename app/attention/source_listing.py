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


def function_code(function: Callable[..., Any]) -> str:
    """Return a function without its docstring, checks and type annotations."""
    return _without_annotations(_code_only(function))


def statement(function: Callable[..., Any], start: str) -> str:
    """Return the line of a function that starts so, without indentation and type annotations.

    Raises ValueError unless there is exactly one.
    """
    lines = [line.strip() for line in function_code(function).splitlines()]
    found = [line for line in lines if line.startswith(start)]
    if len(found) != 1:
        raise ValueError(f"{function.__name__} has {len(found)} lines that start with {start}")
    return found[0]


def _without_annotations(code: str) -> str:
    """Return code that has one function without its type annotations."""
    lines = code.splitlines(keepends=True)
    spans: list[tuple[int, int, int]] = []  # line, first and last column
    (definition,) = ast.parse(code).body
    for node in ast.walk(definition):
        if isinstance(node, ast.arg) and node.annotation:
            name_end = node.col_offset + len(node.arg)
            spans.append((node.lineno, name_end, node.end_col_offset or name_end))
        elif isinstance(node, ast.AnnAssign):
            annotation_end = node.annotation.end_col_offset or 0
            spans.append((node.lineno, node.target.end_col_offset or 0, annotation_end))
        elif isinstance(node, ast.FunctionDef) and node.returns:
            end = node.returns.end_col_offset or 0
            line_number = node.returns.lineno
            arrow = lines[line_number - 1].rindex(" -> ", 0, end)
            spans.append((line_number, arrow, end))
    for line_number, first, last in sorted(spans, reverse=True):
        line = lines[line_number - 1]
        lines[line_number - 1] = line[:first] + line[last:]
    return "".join(lines)


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
