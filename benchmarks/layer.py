"""One attention layer against the matrix products it cannot do without, and against torch."""

from collections.abc import Callable

import numpy as np
import torch

from app.attention import AttentionWeights, core, fast
from benchmarks.timing import interleaved

SHAPES = ((64, 4), (128, 1), (128, 4), (128, 8))
LENGTHS = (8, 16, 32, 48)


def contenders(d_model: int, n_heads: int, n: int) -> dict[str, Callable[[], object]]:
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) * 0.1).astype(np.float32)

    W = AttentionWeights(
        n_heads,
        drawn(d_model, 3 * d_model),
        drawn(3 * d_model),
        drawn(d_model, d_model),
        drawn(d_model),
    )
    X = drawn(n, d_model)
    return {
        "products": _products(X, W),
        "fast": lambda: fast.multi_head_attention(X, W),
        "textbook": lambda: core.multi_head_attention(X, W),
        "torch": _torch_layer(X, W),
    }


def _products(X: np.ndarray, W: AttentionWeights) -> Callable[[], object]:
    n, h, d_head = len(X), W.n_heads, W.d_head
    qkv = X @ W.qkv
    query, key, value = qkv.reshape(n, 3, h, d_head).transpose(1, 2, 0, 3)
    weights = np.ascontiguousarray(np.matmul(key, query.transpose(0, 2, 1)))
    heads = np.empty((n, h, d_head), X.dtype)

    def products() -> object:
        X @ W.qkv
        np.matmul(key, query.transpose(0, 2, 1))
        np.matmul(weights.transpose(0, 2, 1), value, out=heads.transpose(1, 0, 2))
        return heads.reshape(n, W.d_model) @ W.output

    return products


def _torch_layer(X: np.ndarray, W: AttentionWeights) -> Callable[[], object]:
    layer = torch.nn.MultiheadAttention(W.d_model, W.n_heads, batch_first=True).eval()
    x = torch.from_numpy(X)[None]

    @torch.no_grad()
    def run() -> object:
        return layer(x, x, x, need_weights=True, average_attn_weights=False)

    return run


def report() -> None:
    torch.set_num_threads(1)
    print("One attention layer, all heads' maps returned, float32")
    print(
        f"{'d_model heads tokens':20} | {'fast µs':>8} | {'fast/products':19}"
        f" | {'fast/torch':19} | textbook/fast"
    )
    for d_model, n_heads in SHAPES:
        for n in LENGTHS:
            timed = interleaved(contenders(d_model, n_heads, n))
            print(
                f"{d_model:7} {n_heads:5} {n:6} | {timed['fast'].microseconds:8.1f}"
                f" | {timed['fast'].ratio(timed['products']):19}"
                f" | {timed['fast'].ratio(timed['torch']):19}"
                f" | {timed['textbook'].ratio(timed['fast'])}"
            )
