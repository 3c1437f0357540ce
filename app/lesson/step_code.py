"""The code of a step: a few lines of NumPy, which run on their own with the numbers of a view.

The lines are cut from `attention.textbook` and `attention.metrics`, so that they cannot differ from
what the maps are computed by.
"""

import textwrap
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.attention import Trace
from app.attention.intervention import NO_INTERVENTION
from app.attention.metrics import diagonal_mean
from app.attention.source_listing import function_code, statement
from app.attention.textbook import (
    masked_scores,
    merge_heads,
    multi_head_attention,
    repeat_kv,
    scaled_dot_product_attention,
    softmax,
    split_heads,
)
from app.attention.weights import Matrix
from app.lesson.labs import LabState
from app.lesson.model_comparison import trained_models

MAX_LITERAL_SIZE = 512
"""Larger arrays are written as base64 instead of numbers to read."""

MAX_NUMBERS = 1_000_000
"""The code of a view with more numbers would be too long to send."""

_LINE_LENGTH = 88

Numbers = Mapping[str, Any]
"""Variables of a script: arrays, numbers, texts, and lists of them."""


class TooManyNumbersError(ValueError):
    """The model of a view is too large for its numbers to be written into a script."""

    def __init__(self, n_numbers: int) -> None:
        super().__init__(
            f"The code would hold {n_numbers:,} numbers, more than {MAX_NUMBERS:,}. Choose a"
            " smaller model, or download the archive of the view."
        )


@dataclass(frozen=True)
class Excerpt:
    """The code of a step.

    numbers: returns the values of the variables that the lines read.
    lines: the code; learners read it on the page.
    lines_before_answer: the code without what answers the step's question.
    """

    numbers: Callable[[LabState], Numbers]
    lines: str
    lines_before_answer: str = ""

    def script(self, state: LabState) -> str:
        """Return a script that prints numbers of the view. Raises `TooManyNumbersError`."""
        numbers = self.numbers(state)
        n_numbers = sum(value.size for value in numbers.values() if isinstance(value, np.ndarray))
        if n_numbers > MAX_NUMBERS:
            raise TooManyNumbersError(n_numbers)
        lines = self.lines if state.is_revealed else self.lines_before_answer or self.lines
        view = {
            "sentence": state.sentence.text,
            "word": state.query_word,
            "model, layer, head": (state.model.card.id, state.layer, state.head),
        }
        described = "".join(f"# {name}: {value!a}\n" for name, value in view.items())
        assigned = "".join(f"{name} = {_literal(value)}\n" for name, value in numbers.items())
        load = _LOAD if "load(" in assigned else ""
        return f"{described}{_IMPORTS}{load}\n{assigned}\n# %% The code of this step\n{lines}"


_IMPORTS = """
from base64 import b64decode
from math import sqrt

import numpy as np

"""

_LOAD = """
def load(text, *shape):
    return np.frombuffer(b64decode(text), "<f4").reshape(shape)

"""


def _literal(value: object) -> str:
    """Return a value as Python code; learners' words are written in ASCII."""
    if not isinstance(value, np.ndarray):
        return ascii(value)
    if value.dtype == bool:
        return f"np.array({value.tolist()})"
    if value.size > MAX_LITERAL_SIZE:
        text = b64encode(np.ascontiguousarray(value, "<f4").tobytes()).decode()
        wrapped = "\n".join(
            text[start : start + _LINE_LENGTH] for start in range(0, len(text), _LINE_LENGTH)
        )
        return f'load("""\n{wrapped}\n""", {", ".join(map(str, value.shape))})'
    return f"np.array({_nested(value.astype(np.float32))})"


def _nested(value: NDArray[np.float32]) -> str:
    if value.ndim == 1:
        return "[" + ", ".join(map(str, value)) + "]"
    return "[\n" + ",\n".join(_nested(row) for row in value) + "]"


def _token_texts(state: LabState) -> list[str]:
    return [token.text for token in state.sentence.tokens]


def _two_rows(state: LabState) -> Numbers:
    """Return queries of the chosen word in two heads, and the keys that it may read."""
    trace, token = state.trace, state.query_tokens[0]
    other = state.head - 1 if state.head else min(1, state.model.card.n_heads - 1)
    heads = sorted({state.head, other})
    readable = _readable_keys(trace, token)
    return {
        "tokens": [text for text, can in zip(_token_texts(state), readable, strict=True) if can],
        "heads": heads,
        "Q": trace.Q[heads, token : token + 1],
        "K": trace.K[heads][:, readable],
    }


def _one_row(state: LabState) -> Numbers:
    """Return the chosen word's query in the chosen head, every key, and the mask of its row."""
    trace, token = state.trace, state.query_tokens[0]
    return {
        "tokens": _token_texts(state),
        "Q": trace.Q[state.head, token : token + 1],
        "K": trace.K[state.head],
        "mask": _readable_keys(trace, token),
    }


def _projection(state: LabState) -> Numbers:
    """Return what enters the layer for the chosen word, W_Q, and every head's keys."""
    trace, token = state.trace, state.query_tokens[0]
    readable = _readable_keys(trace, token)
    keys = _as_seen_from(trace, token)[:, readable]
    return {
        "tokens": [text for text, can in zip(_token_texts(state), readable, strict=True) if can],
        "n_heads": trace.W.n_heads,
        "X": trace.X[token : token + 1],
        "W_Q": trace.W.query,
        "b_Q": trace.W.query_bias,
        "K": keys,
    }


def _budget(state: LabState) -> Numbers:
    models = trained_models(state.models)
    return {
        "n_tokens": len(state.sentence.tokens),
        "d_model": models[0].card.d_model,
        "head_counts": [model.card.n_heads for model in models],
    }


def _head_outputs(state: LabState) -> Numbers:
    """Return the heads' outputs for the chosen word, without any head switched off, and W_O."""
    trace = state.trace_of(NO_INTERVENTION)
    return {
        "n_heads": trace.W.n_heads,
        "heads": trace.head_outputs[:, state.query_tokens],
        "W_O": trace.W.output,
        "b_O": trace.W.output_bias,
    }


def _maps(state: LabState) -> Numbers:
    return {"weights": state.maps}


def _shared_keys(state: LabState) -> Numbers:
    """Return the chosen word's query in every head, and the keys of each set."""
    trace, token = state.trace, state.query_tokens[0]
    readable = _readable_keys(trace, token)
    return {
        "tokens": [text for text, can in zip(_token_texts(state), readable, strict=True) if can],
        "n_heads": trace.W.n_heads,
        "Q": trace.Q[:, token : token + 1],
        "K": trace.K[:: trace.W.group_size][:, readable],
    }


def _readable_keys(trace: Trace, token: int) -> NDArray[np.bool_]:
    """Return for each key whether the mask lets a token read it, (n,)."""
    if trace.mask is None:
        return np.ones(len(trace.X), dtype=bool)
    row: NDArray[np.bool_] = np.broadcast_to(trace.mask, trace.scores.shape[-2:])[token]
    return row


def _as_seen_from(trace: Trace, token: int) -> Matrix:
    """Return the keys (n_heads, n, d_head) for a query without rotary position.

    Turning the query forwards by its position gives the same scores as turning keys back by it.
    """
    if trace.W.rotary is None:
        return trace.K
    half = trace.W.d_head // 2
    unit = np.zeros((len(trace.X), trace.W.d_head))
    unit[:, :half] = 1
    turned = trace.W.rotary.rotate(unit)[token]
    cosines, sines = turned[:half], turned[half:]
    first, second = trace.K[..., :half], trace.K[..., half:]
    keys: Matrix = np.concatenate(
        [first * cosines + second * sines, second * cosines - first * sines], axis=-1
    )
    return keys


def _code(*lines: str) -> str:
    """Return lines of code; functions have an empty line after them."""
    return "\n".join(lines) + "\n"


_SCORES = statement(scaled_dot_product_attention, "scores = Q @")
_SCALED = statement(scaled_dot_product_attention, "scores = scores /")
_PROJECTED = (
    statement(multi_head_attention, "Q = split_heads")
    .replace("W.query_bias", "b_Q")
    .replace("W.query", "W_Q")
    .replace("W.n_heads", "n_heads")
)
_MASKED = statement(masked_scores, "return np.where").replace("return", "scores =")
_OUTPUT = (
    statement(multi_head_attention, "return merge_heads")
    .replace("return", "output =")
    .replace("W.output_bias, weights", "b_O")
    .replace("W.output", "W_O")
)

_TOP_WORDS = textwrap.dedent("""\
    for head, row in enumerate(scores[:, 0]):
        print("head", head, "reads", tokens[row.argmax()])""")

EXCERPTS = {
    "two-rows": Excerpt(
        _two_rows,
        _code(
            function_code(softmax),
            _SCORES,
            _SCALED,
            "weights = softmax(scores)",
            "for head, row in zip(heads, weights[:, 0]):",
            '    print("head", head, "reads", tokens[row.argmax()], row.round(2))',
        ),
    ),
    "softmax-row": Excerpt(
        _one_row,
        _code(
            function_code(softmax),
            _SCORES,
            _SCALED,
            _MASKED,
            "weights = softmax(scores)",
            "for token, weight in zip(tokens, weights[0]):",
            "    print(token, weight.round(2))",
        ),
    ),
    "project-and-split": Excerpt(
        _projection, _code(function_code(split_heads), _PROJECTED, _SCORES, _TOP_WORDS)
    ),
    "same-budget": Excerpt(
        _budget,
        _code(
            function_code(split_heads),
            "X = np.zeros((n_tokens, d_model))",
            "W, b = np.zeros((4, d_model, d_model)), np.zeros((4, d_model))  # W_Q, W_K, W_V, W_O",
            "for n_heads in head_counts:",
            "    Q, K = (split_heads(X @ W[i] + b[i], n_heads) for i in (0, 1))",
            f"    {_SCORES}",
            '    print(n_heads, "heads:", W.size + b.size, "parameters,", scores.size, "cells")',
        ),
    ),
    "concat-and-project": Excerpt(
        _head_outputs,
        _code(
            function_code(merge_heads),
            _OUTPUT,
            "added = heads @ W_O.reshape(n_heads, -1, W_O.shape[1])  # (n_heads, n, d_model)",
            "assert np.allclose(added.sum(axis=0) + b_O, output, atol=1e-4)",
            "for head, length in enumerate(np.linalg.norm(added, axis=-1).mean(axis=1)):",
            '    print("head", head, "adds", length.round(2))',
        ),
        _code(function_code(merge_heads), _OUTPUT, "print(output.round(2))"),
    ),
    "count-places": Excerpt(
        _maps,
        _code(
            function_code(diagonal_mean),
            "for head, (before, after) in enumerate(",
            "    zip(diagonal_mean(weights, -1), diagonal_mean(weights, 1))",
            "):",
            '    print("head", head, "gives", before.round(2), "to the word before,", end=" ")',
            '    print(after.round(2), "to the next")',
        ),
    ),
    "repeat-kv": Excerpt(
        _shared_keys,
        _code(
            function_code(repeat_kv),
            "K = repeat_kv(K, n_heads)",
            _SCORES,
            _TOP_WORDS,
        ),
    ),
}
"""Values of `code.show` in the `.toml` file of a step."""
