"""A pre-LN transformer encoder in NumPy, stopped at the layer that is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from app.attention import fast
from app.attention.core import causal_mask
from app.attention.intervene import NONE, Intervention
from app.attention.trace import Trace
from app.attention.weights import AttentionWeights, Mask, Matrix


@dataclass(frozen=True, eq=False)
class Norm:
    """Layer normalisation. Source: Ba et al. 2016, "Layer Normalization"."""

    gain: Matrix  # (d_model,)
    bias: Matrix  # (d_model,)
    epsilon: float = 1e-5

    def __call__(self, x: Matrix) -> Matrix:  # (n, d_model) -> (n, d_model)
        centred: Matrix = x - x.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        centred /= np.sqrt(variance + self.epsilon)
        centred *= self.gain
        centred += self.bias
        return centred


@dataclass(frozen=True, eq=False)
class Linear:
    weight: Matrix  # (d_in, d_out)
    bias: Matrix  # (d_out,)

    def __call__(self, x: Matrix) -> Matrix:  # (n, d_in) -> (n, d_out)
        product: Matrix = x @ self.weight
        product += self.bias
        return product


@dataclass(frozen=True, eq=False)
class Layer:
    attention_norm: Norm
    attention: AttentionWeights
    ffn_norm: Norm
    ffn_hidden: Linear  # d_model -> d_hidden
    ffn_output: Linear  # d_hidden -> d_model

    def feed_forward(self, x: Matrix) -> Matrix:  # (n, d_model) -> (n, d_model)
        return self.ffn_output(gelu(self.ffn_hidden(self.ffn_norm(x))))


@dataclass(frozen=True, eq=False)
class Transformer:
    """Token and position embeddings, layers, a last norm; logits share the token embedding."""

    tokens: Matrix  # (vocabulary, d_model)
    positions: Matrix  # (max_tokens, d_model)
    layers: tuple[Layer, ...]
    norm: Norm
    logits_bias: Matrix  # (vocabulary,)

    @property
    def max_tokens(self) -> int:
        return int(self.positions.shape[0])

    @property
    def n_heads(self) -> int:
        return self.layers[0].attention.n_heads


@dataclass(frozen=True, eq=False)
class Pass:
    """What one forward pass saw, layer by layer, down to the last layer asked for."""

    inputs: tuple[Matrix, ...]  # a layer: X after its norm, (n, d_model)
    weights: tuple[Matrix, ...]  # a layer: (n_heads, n, n)
    hidden: Matrix | None  # (n, d_model) after the last norm; None if stopped before the end
    model: Transformer
    intervention: Intervention
    mask: Mask | None

    def trace(self, layer: int) -> Trace:
        """Every intermediate of one layer's attention, computed as it is read."""
        return Trace(
            self.inputs[layer],
            self.model.layers[layer].attention,
            self.mask,
            self.intervention.heads_off_in(layer),
            self.intervention.scaled,
        )


def forward(
    model: Transformer,
    ids: Sequence[int],
    *,
    last_layer: int | None = None,
    mask: Mask | None = None,
    intervention: Intervention = NONE,
) -> Pass:
    """Runs `ids` (n tokens) through the layers 0 to `last_layer`, or all and the last norm.

    Of the last layer asked for only the attention is computed, not what follows it. `mask`,
    broadcastable to (n_heads, n, n), holds in every layer.
    Raises `ValueError` if there is no token or there are more than `model.max_tokens`, or if a
    head is to be switched off that the model lacks; `FullyMaskedRowError`.
    """
    n = len(ids)
    if not 0 < n <= model.max_tokens:
        raise ValueError(f"{n} tokens; the model takes 1 to {model.max_tokens}")
    for layer_off, head_off in intervention.heads_off:
        if not (0 <= layer_off < len(model.layers) and 0 <= head_off < model.n_heads):
            raise ValueError(f"there is no head {head_off} in a layer {layer_off}")
    if intervention.random_seed is not None:
        model = random_twin(model, intervention.random_seed)
    if intervention.causal:
        mask = causal_mask(n) if mask is None else mask & causal_mask(n)
    x = model.tokens[np.asarray(ids)] + model.positions[:n]
    inputs, weights = [], []
    for index, layer in enumerate(model.layers):
        X = layer.attention_norm(x)
        inputs.append(X)
        if index == last_layer:
            query, key, _ = fast.projections(X, layer.attention, scaled=intervention.scaled)
            weights.append(fast.attention_weights(query, key, mask))
            return Pass(tuple(inputs), tuple(weights), None, model, intervention, mask)
        output, maps = fast.multi_head_attention(
            X,
            layer.attention,
            mask,
            heads_off=intervention.heads_off_in(index),
            scaled=intervention.scaled,
        )
        weights.append(maps)
        x = x + output
        x += layer.feed_forward(x)
    return Pass(tuple(inputs), tuple(weights), model.norm(x), model, intervention, mask)


def logits(model: Transformer, hidden: Matrix) -> Matrix:
    """Scores of every token of the vocabulary: (n, d_model) -> (n, vocabulary).

    Source: Press & Wolf 2017, the output matrix is the token embedding.
    """
    scores: Matrix = hidden @ model.tokens.T
    scores += model.logits_bias
    return scores


# p of Φ(x) ≈ sigmoid(p(x)), lowest power first: x, x³, … x¹³, fitted by reweighted least squares
# so that the largest error of x Φ(x) is least; it is 7e-8 between -6 and 6.
_GELU = (
    1.59576854e00,
    7.26682982e-02,
    -6.60534049e-05,
    -1.10546773e-04,
    7.94814138e-06,
    -2.67566388e-07,
    3.62785429e-09,
)


def gelu(x: Matrix) -> Matrix:
    """x Φ(x), Φ the normal distribution, to within 1e-6; the erf it needs is not in NumPy.

    Source: Hendrycks & Gimpel 2016, "Gaussian Error Linear Units".
    """
    inner = np.clip(x, -6, 6)
    square = inner * inner
    polynomial = np.full_like(x, _GELU[-1])
    for coefficient in reversed(_GELU[:-1]):
        polynomial *= square
        polynomial += coefficient
    polynomial *= inner
    np.negative(polynomial, out=polynomial)
    np.exp(polynomial, out=polynomial)
    polynomial += 1
    return x / polynomial


@lru_cache(maxsize=8)
def random_twin(model: Transformer, seed: int) -> Transformer:
    """The same shapes with untrained numbers: matrices N(0, 0.02²) as before training, norms
    and biases reset. What such a model shows, training did not teach.
    """
    rng = np.random.default_rng(seed)

    def drawn(like: Matrix) -> Matrix:
        return rng.normal(0.0, 0.02, like.shape).astype(like.dtype)

    def reset(norm: Norm) -> Norm:
        return replace(norm, gain=np.ones_like(norm.gain), bias=np.zeros_like(norm.bias))

    def linear(of: Linear) -> Linear:
        return Linear(drawn(of.weight), np.zeros_like(of.bias))

    def layer(of: Layer) -> Layer:
        attention = replace(
            of.attention,
            qkv=drawn(of.attention.qkv),
            qkv_bias=np.zeros_like(of.attention.qkv_bias),
            output=drawn(of.attention.output),
            output_bias=np.zeros_like(of.attention.output_bias),
        )
        return Layer(
            reset(of.attention_norm),
            attention,
            reset(of.ffn_norm),
            linear(of.ffn_hidden),
            linear(of.ffn_output),
        )

    return Transformer(
        drawn(model.tokens),
        drawn(model.positions),
        tuple(layer(each) for each in model.layers),
        reset(model.norm),
        np.zeros_like(model.logits_bias),
    )
