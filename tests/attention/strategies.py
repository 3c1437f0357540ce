"""Random layers, models, inputs and masks for the laws of attention."""

import numpy as np
from hypothesis import strategies as st

from app.attention import AttentionWeights, Intervention, Transformer
from app.attention.activations import ACTIVATIONS
from app.attention.layers import Layer, LayerNorm, Linear, LMHead, RMSNorm
from app.attention.rope import Rotary

VOCABULARY = 20
MAX_TOKENS = 12


@st.composite
def layers(draw, dtype=np.float64, largest=3.0):
    """Attention weights and an input X (n, d_model) of random shapes and sizes.

    As in Vaswani et al. 2017: every head has its own keys and values and d_model / n_heads columns,
    and there are no rotary positions.
    """
    n_heads = draw(st.integers(1, 8))
    return draw_layer(draw, n_heads, n_heads * draw(st.integers(1, 16)), dtype, largest)


@st.composite
def modern_layers(draw, dtype=np.float64, largest=3.0):
    """As `layers`, with grouped keys and values, rotary positions, and any d_head."""
    n_kv_heads = draw(st.integers(1, 4))
    n_heads = n_kv_heads * draw(st.integers(1, 4))
    rotary = draw(st.sampled_from([None, Rotary(), Rotary(50.0), Rotary(1e6)]))
    d_head = 2 * draw(st.integers(1, 8))
    d_model = draw(st.sampled_from([n_heads * d_head, draw(st.integers(1, 40))]))
    options = {"n_kv_heads": n_kv_heads, "d_head": d_head, "rotary": rotary}
    return draw_layer(draw, n_heads, d_model, dtype, largest, **options)


def draw_layer(draw, n_heads, d_model, dtype, largest, *, n_kv_heads=0, d_head=0, rotary=None):
    n = draw(st.integers(1, 24))
    rng = draw_rng(draw)
    size = draw(st.floats(0.01, largest))
    d_head = d_head or d_model // n_heads
    weights = random_attention(
        rng, n_heads, d_model, d_head, n_kv_heads, rotary, dtype=dtype, size=size
    )
    return weights, random_array(rng, n, d_model, dtype=dtype, size=size)


def draw_rng(draw):
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1)))


def random_array(rng, *shape, dtype=np.float64, size=1.0):
    return (rng.normal(size=shape) * size).astype(dtype)


def random_attention(
    rng, n_heads, d_model, d_head, n_kv_heads=0, rotary=None, *, dtype=np.float64, size=0.3
):
    options = {"dtype": dtype, "size": size}
    concat_width = n_heads * d_head
    qkv_width = concat_width + 2 * (n_kv_heads or n_heads) * d_head
    return AttentionWeights(
        n_heads,
        random_array(rng, d_model, qkv_width, **options),
        random_array(rng, qkv_width, **options),
        random_array(rng, concat_width, d_model, **options),
        random_array(rng, d_model, **options),
        n_kv_heads,
        rotary,
    )


@st.composite
def masks(draw, n):
    """None, or (n, n), (1, n) or (n,) with at least one readable key in each row."""
    form = draw(st.sampled_from(["none", "square", "row", "flat"]))
    if form == "none":
        return None
    rng = draw_rng(draw)
    mask = rng.random((n, n)) < draw(st.floats(0, 1))
    mask[np.arange(n), rng.integers(0, n, n)] = True
    return {"square": mask, "row": mask[:1], "flat": mask[0]}[form]


token_ids = st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=MAX_TOKENS)


@st.composite
def transformers(draw, min_layers=1):
    """Small float64 models with every combination of the options of `Transformer` and `Layer`."""
    rng = draw_rng(draw)
    n_kv_heads = draw(st.integers(1, 2))
    n_heads = n_kv_heads * draw(st.integers(1, 2))
    d_head, d_model = 2 * draw(st.integers(1, 3)), draw(st.integers(1, 8))
    uses_rope = draw(st.booleans())

    def norm():
        if is_layer_norm:
            return LayerNorm(random_array(rng, d_model), random_array(rng, d_model))
        return RMSNorm(random_array(rng, d_model))

    def linear(d_in, d_out):
        bias = random_array(rng, d_out) if has_biases else None
        return Linear(random_array(rng, d_in, d_out, size=0.5), bias)

    is_layer_norm, has_biases, has_gate, is_tied = (draw(st.booleans()) for _ in range(4))
    activation = draw(st.sampled_from(sorted(ACTIVATIONS)))
    token_embedding = random_array(rng, VOCABULARY, d_model)
    lm_head = LMHead(
        token_embedding if is_tied else random_array(rng, VOCABULARY, d_model),
        random_array(rng, VOCABULARY) if draw(st.booleans()) else None,
        linear(d_model, d_model) if draw(st.booleans()) else None,
        activation,
        norm() if draw(st.booleans()) else None,
    )
    return Transformer(
        token_embedding,
        None if uses_rope else random_array(rng, MAX_TOKENS, d_model),
        tuple(
            Layer(
                norm(),
                random_attention(
                    rng, n_heads, d_model, d_head, n_kv_heads, Rotary() if uses_rope else None
                ),
                norm(),
                linear(d_model, 6),
                linear(6, d_model),
                linear(d_model, 6) if has_gate else None,
                activation,
            )
            for _ in range(draw(st.integers(min_layers, 3)))
        ),
        norm() if draw(st.booleans()) else None,
        lm_head if draw(st.booleans()) else None,
        norm() if draw(st.booleans()) else None,
        draw(st.booleans()),
        draw(st.booleans()),
        MAX_TOKENS if uses_rope else 0,
    )


@st.composite
def interventions(draw, model):
    """Every combination of changes to a forward pass of `model`, except random weights."""
    heads = st.tuples(st.integers(0, len(model.layers) - 1), st.integers(0, model.n_heads - 1))
    n_kv_heads = model.layers[0].attention.n_kv_heads
    return Intervention(
        causal=draw(st.booleans()),
        ablated_heads=frozenset(draw(st.sets(heads))),
        scaled=draw(st.booleans()),
        groups=draw(st.sampled_from([0, 1, n_kv_heads])),
    )
