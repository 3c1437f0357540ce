"""Random layers, inputs and masks for the laws of attention."""

import numpy as np
from hypothesis import strategies as st

from app.attention import AttentionWeights


@st.composite
def layers(draw, dtype=np.float64, largest=3.0):
    """Weights and an input X (n, d_model) of random shapes and sizes."""
    n_heads = draw(st.integers(1, 8))
    d_model = n_heads * draw(st.integers(1, 16))
    n = draw(st.integers(1, 24))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.floats(0.01, largest))

    def drawn(*shape):
        return (rng.normal(size=shape) * size).astype(dtype)

    weights = AttentionWeights(
        n_heads,
        drawn(d_model, 3 * d_model),
        drawn(3 * d_model),
        drawn(d_model, d_model),
        drawn(d_model),
    )
    return weights, drawn(n, d_model)


@st.composite
def masks(draw, n):
    """None, or (n, n), (1, n) or (n,) with at least one readable key in each row."""
    kind = draw(st.sampled_from(["none", "square", "row", "flat"]))
    if kind == "none":
        return None
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mask = rng.random((n, n)) < draw(st.floats(0, 1))
    mask[np.arange(n), rng.integers(0, n, n)] = True
    return {"square": mask, "row": mask[:1], "flat": mask[0]}[kind]
