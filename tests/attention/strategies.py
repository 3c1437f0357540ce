"""Random layers, inputs and masks for the laws of attention."""

import numpy as np
from hypothesis import strategies as st

from app.attention import AttentionWeights
from app.attention.rope import Rotary


@st.composite
def layers(draw, dtype=np.float64, largest=3.0):
    """Weights and an input X (n, d_model) of random shapes and sizes: every head with keys and
    values of its own, learned positions, and heads that share out the width, as in a classic layer.
    """
    n_heads = draw(st.integers(1, 8))
    return draw_layer(draw, n_heads, n_heads * draw(st.integers(1, 16)), dtype, largest)


@st.composite
def modern_layers(draw, dtype=np.float64, largest=3.0):
    """As `layers`; heads may share keys and values, be turned by their places, and be of any width
    whatever that of the model.
    """
    n_kv_heads = draw(st.integers(1, 4))
    n_heads = n_kv_heads * draw(st.integers(1, 4))
    rotary = draw(st.sampled_from([None, Rotary(), Rotary(50.0), Rotary(1e6)]))
    d_head = 2 * draw(st.integers(1, 8))
    d_model = draw(st.sampled_from([n_heads * d_head, draw(st.integers(1, 40))]))
    options = {"n_kv_heads": n_kv_heads, "d_head": d_head, "rotary": rotary}
    return draw_layer(draw, n_heads, d_model, dtype, largest, **options)


def draw_layer(draw, n_heads, d_model, dtype, largest, *, n_kv_heads=0, d_head=0, rotary=None):
    n_kv_heads = n_kv_heads or n_heads
    n = draw(st.integers(1, 24))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.floats(0.01, largest))
    joined = n_heads * (d_head or d_model // n_heads)
    width = joined + 2 * joined * n_kv_heads // n_heads

    def random_array(*shape):
        return (rng.normal(size=shape) * size).astype(dtype)

    weights = AttentionWeights(
        n_heads,
        random_array(d_model, width),
        random_array(width),
        random_array(joined, d_model),
        random_array(d_model),
        n_kv_heads,
        rotary,
    )
    return weights, random_array(n, d_model)


@st.composite
def masks(draw, n):
    """None, or (n, n), (1, n) or (n,) with at least one readable key in each row."""
    form = draw(st.sampled_from(["none", "square", "row", "flat"]))
    if form == "none":
        return None
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mask = rng.random((n, n)) < draw(st.floats(0, 1))
    mask[np.arange(n), rng.integers(0, n, n)] = True
    return {"square": mask, "row": mask[:1], "flat": mask[0]}[form]
