"""Compare one attention layer with its matrix products alone, and with torch."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from app.attention import AttentionWeights, fast, textbook
from benchmarks.document import Part, Profile, Table
from benchmarks.goals import LAYER_VS_MATMULS, LAYER_VS_TORCH, Goal, Outcome, worst
from benchmarks.timing import Timing, time_interleaved
from benchmarks.watch import profile, with_profiling

SHAPES = ((64, 4), (128, 4), (384, 12), (768, 12))
LENGTHS = (8, 32, 128)

ABOUT = """One attention layer with the maps of all heads, float32, one thread.

- products: the four matrix products that attention needs (Q, K and V in one, scores, values,
  output), without anything else, as plain NumPy products. Headwise can be faster, because it splits
  some products (docs/decisions/matmul.md).
- torch: `torch.nn.MultiheadAttention`, with the weights of every head.
- eager torch: the textbook formula in torch.
- textbook: `app/attention/textbook.py`.

The last column compares the same products on transposed matrices (tokens as columns). Below 1, BLAS
is faster with columns."""

GOAL_COMPARISONS: tuple[tuple[Goal, str, Callable[["Row"], bool]], ...] = (
    (LAYER_VS_MATMULS[64], "products", lambda row: row.d_model == 64),
    (LAYER_VS_MATMULS[128], "products", lambda row: row.d_model == 128),
    (LAYER_VS_MATMULS[384], "products", lambda row: row.d_model >= 384),
    (LAYER_VS_TORCH, "torch", lambda row: row.n <= 32 and row.d_model <= 384),
)
"""Each goal, the contender that Headwise is compared with, and the rows that it covers."""

HEADER = (
    "d_model",
    "heads",
    "T",
    "µs",
    "layer/products",
    "layer/torch",
    "layer/eager torch",
    "textbook/layer",
    "products by columns/products",
)


@dataclass(frozen=True)
class Row:
    """One shape. `timings` are those of `fast` ("fast") and of the contenders, by name."""

    d_model: int
    n_heads: int
    n: int
    timings: dict[str, Timing]

    def ratio_to(self, baseline: str) -> float:
        return self.timings["fast"].ratio(self.timings[baseline]).median

    @property
    def shape(self) -> str:
        return f"d_model {self.d_model}, {self.n_heads} heads, T = {self.n}"

    @property
    def cells(self) -> tuple[str, ...]:
        fast = self.timings["fast"]
        ratios = [fast.ratio(self.timings[name]) for name in ("products", "torch", "eager")]
        ratios.append(self.timings["textbook"].ratio(fast))
        ratios.append(self.timings["columns"].ratio(self.timings["products"]))
        sizes = (str(self.d_model), str(self.n_heads), str(self.n))
        return (*sizes, f"{fast.microseconds:.0f}", *(f"{ratio:.2f}" for ratio in ratios))


def random_array(*shape: int) -> np.ndarray:
    return (np.random.default_rng(sum(shape)).normal(size=shape) * 0.1).astype(np.float32)


def random_weights(d_model: int, n_heads: int) -> AttentionWeights:
    return AttentionWeights(
        n_heads,
        random_array(d_model, 3 * d_model),
        random_array(3 * d_model),
        random_array(d_model, d_model),
        random_array(d_model),
    )


def contenders(d_model: int, n_heads: int, n: int) -> dict[str, Callable[[], object]]:
    W, X = random_weights(d_model, n_heads), random_array(n, d_model)
    return {
        "products": layer_matmuls(X, W.qkv, W.output, n_heads),
        "columns": layer_matmuls_by_column(X, W.qkv, W.output, n_heads),
        "fast": lambda: fast.multi_head_attention(X, W),
        "textbook": lambda: textbook.multi_head_attention(X, W),
        "torch": _torch_layer(X, n_heads),
        "eager": _eager_layer(X, n_heads),
    }


def layer_matmuls(
    X: np.ndarray, qkv_weight: np.ndarray, output_weight: np.ndarray, n_heads: int
) -> Callable[[], object]:
    """Return the matrix products of one layer, on operands with the memory layout of `fast`."""
    n, d_model = X.shape
    qkv = X @ qkv_weight
    query, key, value = qkv.reshape(n, 3, n_heads, d_model // n_heads).transpose(1, 2, 0, 3)
    weights = np.ascontiguousarray(np.matmul(key, query.transpose(0, 2, 1)))
    heads = np.empty((n, n_heads, d_model // n_heads), X.dtype)

    def run() -> object:
        np.matmul(X, qkv_weight)
        np.matmul(key, query.transpose(0, 2, 1))
        np.matmul(weights.transpose(0, 2, 1), value, out=heads.transpose(1, 0, 2))
        return heads.reshape(n, d_model) @ output_weight

    return run


def layer_matmuls_by_column(
    X: np.ndarray, qkv_weight: np.ndarray, output_weight: np.ndarray, n_heads: int
) -> Callable[[], object]:
    """Return the same products on transposed operands: each token is a column.

    Which of the two is faster depends on BLAS and on the sizes.
    """
    n, d_model = X.shape
    columns = np.ascontiguousarray(X.T)  # (d_model, n)
    qkv = qkv_weight.T @ columns
    query, key, value = qkv.reshape(3, n_heads, d_model // n_heads, n)  # (n_heads, d_head, n)
    weights = np.matmul(key.transpose(0, 2, 1), query)  # (n_heads, n_k, n_q)
    heads = np.empty_like(value)

    def run() -> object:
        np.matmul(qkv_weight.T, columns)
        np.matmul(key.transpose(0, 2, 1), query)
        np.matmul(value, weights, out=heads)
        return output_weight.T @ heads.reshape(d_model, n)

    return run


def _torch_layer(X: np.ndarray, n_heads: int) -> Callable[[], object]:
    layer = torch.nn.MultiheadAttention(X.shape[1], n_heads, batch_first=True).eval()
    x = torch.from_numpy(X)[None]

    @torch.no_grad()
    def run() -> object:
        return layer(x, x, x, need_weights=True, average_attn_weights=False)

    return run


def _eager_layer(X: np.ndarray, n_heads: int) -> Callable[[], object]:
    """Return the textbook formula in torch: one linear layer for Q, K and V, one for the output."""
    (n, d_model), linear = X.shape, torch.nn.functional.linear
    x = torch.from_numpy(X)
    qkv_weight, qkv_bias = torch.nn.Linear(d_model, 3 * d_model).parameters()
    output_weight, output_bias = torch.nn.Linear(d_model, d_model).parameters()
    d_head = d_model // n_heads

    @torch.no_grad()
    def run() -> object:
        qkv = linear(x, qkv_weight, qkv_bias).view(n, 3, n_heads, d_head)
        query, key, value = qkv.permute(1, 2, 0, 3)  # each (n_heads, n, d_head)
        scores = query @ key.transpose(-1, -2) / d_head**0.5
        weights = scores.softmax(dim=-1)
        heads = (weights @ value).transpose(0, 1).reshape(n, d_model)
        return linear(heads, output_weight, output_bias), weights

    return run


def measure() -> Part:
    torch.set_num_threads(1)
    rows = [
        Row(d_model, n_heads, n, time_interleaved(contenders(d_model, n_heads, n)))
        for d_model, n_heads in SHAPES
        for n in LENGTHS
    ]
    outcomes = [
        worst(goal, [(row.ratio_to(baseline), row.shape) for row in rows if is_about(row)])
        for goal, baseline, is_about in GOAL_COMPARISONS
    ]
    table = Table("", HEADER, tuple(row.cells for row in rows))
    return Part("One layer", ABOUT, (table,), tuple(outcomes), _profiles(outcomes, rows))


def _profiles(outcomes: list[Outcome], rows: list[Row]) -> tuple[Profile, ...]:
    """Profile every shape that was the worst for a goal, call by call."""
    goals: dict[str, list[Goal]] = {}
    for outcome in outcomes:
        goals.setdefault(outcome.where, []).append(outcome.goal)
    return tuple(
        Profile(tuple(goals[row.shape]), _profile(row)) for row in rows if row.shape in goals
    )


def _profile(row: Row) -> Table:
    W, X = random_weights(row.d_model, row.n_heads), random_array(row.n, row.d_model)
    profiled_W, profiled_X = with_profiling(W), with_profiling(X)
    table = profile(
        f"One layer, {row.shape}, call by call",
        lambda: fast.multi_head_attention(X, W),
        lambda: fast.multi_head_attention(profiled_X, profiled_W),
    )
    return replace(table, note=f"{table.note} {_compare_single_matmul(X, W.qkv)}")


def _compare_single_matmul(X: np.ndarray, weight: np.ndarray) -> str:
    """Return a sentence on one product in NumPy and in torch, which uses another BLAS."""
    x, torch_weight = torch.from_numpy(X), torch.from_numpy(np.ascontiguousarray(weight.T))
    columns = np.ascontiguousarray(X.T)
    timings = time_interleaved(
        {
            "NumPy": lambda: X @ weight,
            "columns": lambda: weight.T @ columns,
            "torch": lambda: torch.nn.functional.linear(x, torch_weight),
        }
    )
    times = {name: f"{each.microseconds:.1f} µs" for name, each in timings.items()}
    return (
        f"The product for Q, K and V alone takes {times['NumPy']} in NumPy, {times['columns']} with"
        f" tokens as columns, and {times['torch']} in torch."
    )
