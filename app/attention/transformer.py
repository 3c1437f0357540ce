"""A transformer in NumPy, stopped at the layer that is asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from app.attention import fast
from app.attention.activations import ACTIVATIONS
from app.attention.intervention import NONE, Intervention
from app.attention.products import product
from app.attention.textbook import causal_mask
from app.attention.trace import Trace
from app.attention.variants import pooled
from app.attention.weights import AttentionWeights, Mask, Matrix


def root_mean_square(x: Matrix, epsilon: float) -> Matrix:
    """√(mean of squares + epsilon) of each row: (n, d_model) -> (n, 1)."""
    squares: Matrix = np.matmul(x[:, None, :], x[:, :, None])[:, :, 0]
    squares /= x.shape[-1]
    squares += epsilon
    return np.sqrt(squares, out=squares)


@dataclass(frozen=True, eq=False)
class Norm:
    """Layer normalisation. Source: Ba et al. 2016, "Layer Normalization"."""

    gain: Matrix  # (d_model,)
    bias: Matrix  # (d_model,)
    epsilon: float = 1e-5

    def __call__(self, x: Matrix) -> Matrix:  # (n, d_model) -> (n, d_model)
        centred: Matrix = x - np.add.reduce(x, axis=-1, keepdims=True) / x.shape[-1]
        centred /= root_mean_square(centred, self.epsilon)
        centred *= self.gain
        centred += self.bias
        return centred


@dataclass(frozen=True, eq=False)
class RootMeanSquareNorm:
    """As `Norm` without a mean taken off, and without a bias.

    Source: Zhang & Sennrich 2019, "Root Mean Square Layer Normalization".
    """

    gain: Matrix  # (d_model,)
    epsilon: float = 1e-6

    def __call__(self, x: Matrix) -> Matrix:  # (n, d_model) -> (n, d_model)
        normed: Matrix = x / root_mean_square(x, self.epsilon)
        normed *= self.gain
        return normed


AnyNorm = Norm | RootMeanSquareNorm


@dataclass(frozen=True, eq=False)
class Linear:
    weight: Matrix  # (d_in, d_out)
    bias: Matrix | None  # (d_out,)

    def __call__(self, x: Matrix) -> Matrix:  # (n, d_in) -> (n, d_out)
        out = product(x, self.weight)
        if self.bias is not None:
            out += self.bias
        return out


@dataclass(frozen=True, eq=False)
class Layer:
    """Attention and a feed-forward part, each with a norm of its own.

    `ffn_gate`, where there is one, is what the activation is taken of, and multiplies the rest.
    Source of the gate: Shazeer 2020, "GLU Variants Improve Transformer".
    """

    attention_norm: AnyNorm
    attention: AttentionWeights
    ffn_norm: AnyNorm
    ffn_hidden: Linear  # d_model -> d_hidden
    ffn_output: Linear  # d_hidden -> d_model
    ffn_gate: Linear | None = None  # d_model -> d_hidden
    activation: str = "gelu"

    def feed_forward(self, x: Matrix) -> Matrix:  # (n, d_model) -> (n, d_model)
        activation = ACTIVATIONS[self.activation]
        if self.ffn_gate is None:
            return self.ffn_output(activation(self.ffn_hidden(x)))
        inner = activation(self.ffn_gate(x))
        inner *= self.ffn_hidden(x)
        return self.ffn_output(inner)


@dataclass(frozen=True, eq=False)
class WordHead:
    """Scores of every token of the vocabulary, from the last hidden state; some models have a
    layer and a norm of their own before it. `weight` may be the embedding itself.

    Source: Press & Wolf 2017, the output matrix is the token embedding.
    """

    weight: Matrix  # (vocabulary, d_model)
    bias: Matrix | None = None  # (vocabulary,)
    transform: Linear | None = None  # d_model -> d_model
    activation: str = "gelu"
    norm: AnyNorm | None = None

    def __call__(self, hidden: Matrix) -> Matrix:  # (n, d_model) -> (n, vocabulary)
        if self.transform:
            hidden = ACTIVATIONS[self.activation](self.transform(hidden))
        if self.norm:
            hidden = self.norm(hidden)
        scores: Matrix = hidden @ self.weight.T
        if self.bias is not None:
            scores += self.bias
        return scores


class NoWordHeadError(ValueError):
    """The model ends with hidden states: its files hold nothing that scores words."""

    def __init__(self) -> None:
        super().__init__("This model has no word head: it gives hidden states and guesses no word.")


@dataclass(frozen=True, eq=False)
class Transformer:
    """Embeddings, layers, and what comes after them.

    `positions` is None where queries and keys are turned by their places instead; then `longest`
    says how many tokens it reads, as it may where fewer should be read than there are positions.
    Norms stand before attention and feed-forward part, or after the sums if not `norm_first`.
    A `causal` model reads only what stands before, whatever it is told.
    """

    tokens: Matrix  # (vocabulary, d_model)
    positions: Matrix | None  # (max_tokens, d_model)
    layers: tuple[Layer, ...]
    norm: AnyNorm | None
    words: WordHead | None
    embedding_norm: AnyNorm | None = None
    norm_first: bool = True
    causal: bool = False
    longest: int = 0

    @property
    def max_tokens(self) -> int:
        if self.longest or self.positions is None:
            return self.longest
        return int(self.positions.shape[0])

    @property
    def n_heads(self) -> int:
        return self.layers[0].attention.n_heads

    def embedded(self, ids: Sequence[int]) -> Matrix:
        """(n, d_model), what enters the first layer."""
        x: Matrix = self.tokens[np.asarray(ids)]
        if self.positions is not None:
            x = x + self.positions[: len(ids)]
        return self.embedding_norm(x) if self.embedding_norm else x


def arrays_of(part: object) -> Iterator[Matrix]:
    """Every array in a model or a part of one."""
    if isinstance(part, np.ndarray):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from arrays_of(each)
    elif is_dataclass(part):
        for field in fields(part):
            yield from arrays_of(getattr(part, field.name))


def with_arrays(part: Any, change: Callable[[Matrix], Matrix]) -> Any:  # noqa: ANN401
    """A model, or a part of one, with every array changed."""
    if isinstance(part, np.ndarray):
        return change(part)
    if isinstance(part, tuple):
        return tuple(with_arrays(each, change) for each in part)
    if not is_dataclass(part) or isinstance(part, type):
        return part
    changed_fields = {f.name: with_arrays(getattr(part, f.name), change) for f in fields(part)}
    return replace(part, **changed_fields)


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
            changed_attention(self.model.layers[layer], self.intervention),
            self.mask,
            self.intervention.heads_off_in(layer),
            self.intervention.scaled,
            self.weights[layer],
        )

    @property
    def arrays(self) -> tuple[Matrix, ...]:
        """All that was seen: the further the pass went, the more."""
        hidden = () if self.hidden is None else (self.hidden,)
        return (*self.inputs, *self.weights, *hidden)

    @property
    def nbytes(self) -> int:
        """What the arrays take, in bytes."""
        return sum(array.nbytes for array in self.arrays)


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
    check_asked(model, n, intervention)
    if intervention.random_seed is not None:
        model = random_twin(model, intervention.random_seed)
    if intervention.causal or model.causal:
        mask = causal_mask(n) if mask is None else mask & causal_mask(n)
    x = model.embedded(ids)
    inputs, weights = [], []
    for index, layer in enumerate(model.layers):
        X = layer.attention_norm(x) if model.norm_first else x
        inputs.append(X)
        attention = changed_attention(layer, intervention)
        if index == last_layer:
            query, key, _ = fast.projections(X, attention, scaled=intervention.scaled)
            weights.append(fast.attention_weights(query, key, mask))
            return Pass(tuple(inputs), tuple(weights), None, model, intervention, mask)
        output, maps = fast.multi_head_attention(
            X,
            attention,
            mask,
            heads_off=intervention.heads_off_in(index),
            scaled=intervention.scaled,
        )
        weights.append(maps)
        x = _after_attention(model, layer, x, output)
    hidden = model.norm(x) if model.norm else x
    return Pass(tuple(inputs), tuple(weights), hidden, model, intervention, mask)


def check_asked(model: Transformer, n: int, intervention: Intervention) -> None:
    """Raises `ValueError` for a number of tokens that it cannot read, or heads that it lacks."""
    if not 0 < n <= model.max_tokens:
        raise ValueError(f"{n} tokens; the model takes 1 to {model.max_tokens}")
    for layer_off, head_off in intervention.heads_off:
        if not (0 <= layer_off < len(model.layers) and 0 <= head_off < model.n_heads):
            raise ValueError(f"there is no head {head_off} in a layer {layer_off}")


def changed_attention(layer: Layer, intervention: Intervention) -> AttentionWeights:
    """The layer's attention as an intervention has it, with fewer sets of keys if it says so.

    Raises `ValueError` as `contrast.pooled`. It is made anew each time: models may be large.
    """
    groups = intervention.groups
    return pooled(layer.attention, groups) if groups else layer.attention


def _after_attention(model: Transformer, layer: Layer, x: Matrix, output: Matrix) -> Matrix:
    """What enters the next layer; `output` is that of the attention, and is written over."""
    output += x
    if model.norm_first:
        output += layer.feed_forward(layer.ffn_norm(output))
        return output
    x = layer.attention_norm(output)
    x += layer.feed_forward(x)
    return layer.ffn_norm(x)


def logits(model: Transformer, hidden: Matrix) -> Matrix:
    """Scores of every token of the vocabulary: (n, d_model) -> (n, vocabulary).

    Raises `NoWordHeadError`.
    """
    if model.words is None:
        raise NoWordHeadError
    return model.words(hidden)


@lru_cache(maxsize=8)
def random_twin(model: Transformer, seed: int) -> Transformer:
    """The same shapes with untrained numbers: matrices N(0, 0.02²) as before training, norms
    and biases reset. What such a model shows, training did not teach.
    """
    rng = np.random.default_rng(seed)

    def drawn(like: Matrix) -> Matrix:
        return rng.normal(0.0, 0.02, like.shape).astype(like.dtype)

    return _redrawn(model, drawn)


def _redrawn(model: Transformer, drawn: Callable[[Matrix], Matrix]) -> Transformer:
    tokens = drawn(model.tokens)
    positions = None if model.positions is None else drawn(model.positions)
    layers = tuple(_redrawn_layer(each, drawn) for each in model.layers)
    words = model.words
    if words:
        words = replace(
            words,
            weight=tokens if words.weight is model.tokens else drawn(words.weight),
            bias=None if words.bias is None else np.zeros_like(words.bias),
            transform=words.transform and _redrawn_linear(words.transform, drawn),
            norm=words.norm and _reset(words.norm),
        )
    return replace(
        model,
        tokens=tokens,
        positions=positions,
        layers=layers,
        norm=model.norm and _reset(model.norm),
        words=words,
        embedding_norm=model.embedding_norm and _reset(model.embedding_norm),
    )


def _redrawn_layer(of: Layer, drawn: Callable[[Matrix], Matrix]) -> Layer:
    attention = replace(
        of.attention,
        qkv=drawn(of.attention.qkv),
        qkv_bias=np.zeros_like(of.attention.qkv_bias),
        output=drawn(of.attention.output),
        output_bias=np.zeros_like(of.attention.output_bias),
    )
    return replace(
        of,
        attention_norm=_reset(of.attention_norm),
        attention=attention,
        ffn_norm=_reset(of.ffn_norm),
        ffn_hidden=_redrawn_linear(of.ffn_hidden, drawn),
        ffn_output=_redrawn_linear(of.ffn_output, drawn),
        ffn_gate=of.ffn_gate and _redrawn_linear(of.ffn_gate, drawn),
    )


def _redrawn_linear(of: Linear, drawn: Callable[[Matrix], Matrix]) -> Linear:
    return Linear(drawn(of.weight), None if of.bias is None else np.zeros_like(of.bias))


def _reset(norm: AnyNorm) -> AnyNorm:
    """A norm as before training."""
    if isinstance(norm, Norm):
        return replace(norm, gain=np.ones_like(norm.gain), bias=np.zeros_like(norm.bias))
    return replace(norm, gain=np.ones_like(norm.gain))
