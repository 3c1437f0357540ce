"""A transformer in NumPy, stopped at the layer that is asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from app.attention import fast
from app.attention.activations import ACTIVATIONS
from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.matmul import matmul
from app.attention.textbook import causal_mask
from app.attention.trace import Trace
from app.attention.variants import mean_pool_kv
from app.attention.weights import AttentionWeights, Mask, Matrix


def root_mean_square(x: Matrix, epsilon: float) -> Matrix:
    """√(mean of squares + epsilon) of each row: (n, d_model) -> (n, 1)."""
    squares: Matrix = np.matmul(x[:, None, :], x[:, :, None])[:, :, 0]
    squares /= x.shape[-1]
    squares += epsilon
    return np.sqrt(squares, out=squares)


@dataclass(frozen=True, eq=False)
class LayerNorm:
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
class RMSNorm:
    """As `Norm` without a mean taken off, and without a bias.

    Source: Zhang & Sennrich 2019, "Root Mean Square Layer Normalization".
    """

    gain: Matrix  # (d_model,)
    epsilon: float = 1e-6

    def __call__(self, x: Matrix) -> Matrix:  # (n, d_model) -> (n, d_model)
        normed: Matrix = x / root_mean_square(x, self.epsilon)
        normed *= self.gain
        return normed


AnyNorm = LayerNorm | RMSNorm


@dataclass(frozen=True, eq=False)
class Linear:
    weight: Matrix  # (d_in, d_out)
    bias: Matrix | None  # (d_out,)

    def __call__(self, x: Matrix) -> Matrix:  # (n, d_in) -> (n, d_out)
        out = matmul(x, self.weight)
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
class LMHead:
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


class NoLMHeadError(ValueError):
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

    token_embedding: Matrix  # (vocabulary, d_model)
    position_embedding: Matrix | None  # (max_tokens, d_model)
    layers: tuple[Layer, ...]
    norm: AnyNorm | None
    lm_head: LMHead | None
    embedding_norm: AnyNorm | None = None
    pre_norm: bool = True
    causal: bool = False
    max_context: int = 0

    @property
    def max_tokens(self) -> int:
        if self.max_context or self.position_embedding is None:
            return self.max_context
        return int(self.position_embedding.shape[0])

    @property
    def n_heads(self) -> int:
        return self.layers[0].attention.n_heads

    def embed(self, ids: Sequence[int]) -> Matrix:
        """(n, d_model), what enters the first layer."""
        x: Matrix = self.token_embedding[np.asarray(ids)]
        if self.position_embedding is not None:
            x = x + self.position_embedding[: len(ids)]
        return self.embedding_norm(x) if self.embedding_norm else x


def arrays_of(module: object) -> Iterator[Matrix]:
    """Every array in a model or a part of one."""
    if isinstance(module, np.ndarray):
        yield module
    elif isinstance(module, tuple):
        for each in module:
            yield from arrays_of(each)
    elif is_dataclass(module):
        for field in fields(module):
            yield from arrays_of(getattr(module, field.name))


def map_arrays(module: Any, change: Callable[[Matrix], Matrix]) -> Any:  # noqa: ANN401
    """A model, or a part of one, with every array changed."""
    if isinstance(module, np.ndarray):
        return change(module)
    if isinstance(module, tuple):
        return tuple(map_arrays(each, change) for each in module)
    if not is_dataclass(module) or isinstance(module, type):
        return module
    changed_fields = {f.name: map_arrays(getattr(module, f.name), change) for f in fields(module)}
    return replace(module, **changed_fields)


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """What one forward pass saw, layer by layer, down to the last layer asked for."""

    attention_inputs: tuple[Matrix, ...]  # a layer: X after its norm, (n, d_model)
    weights: tuple[Matrix, ...]  # a layer: (n_heads, n, n)
    residual: Matrix | None  # (n, d_model) before the norm of the last layer; None at the end
    hidden: Matrix | None  # (n, d_model) after the last norm; None if stopped before the end
    model: Transformer
    intervention: Intervention
    mask: Mask | None

    def reaches(self, last_layer: int | None) -> bool:
        """Whether the pass includes `last_layer`, or the end of the model if None."""
        if last_layer is None:
            return self.hidden is not None
        return self.hidden is not None or last_layer < len(self.weights)

    def extend(self, last_layer: int | None = None) -> "ForwardPass":
        """Return the pass down to `last_layer`, or to the end, without repeating earlier layers.

        Of the last layer only the attention has been computed, which is done again.
        """
        if self.residual is None or self.reaches(last_layer):
            return self
        model, intervention, x = self.model, self.intervention, self.residual
        first = max(0, len(self.weights) - 1)
        inputs, weights = list(self.attention_inputs[:first]), list(self.weights[:first])
        for index, layer in enumerate(model.layers[first:], first):
            X = layer.attention_norm(x) if model.pre_norm else x
            inputs.append(X)
            attention = intervened_attention(layer, intervention)
            if index == last_layer:
                query, key, _ = fast.projections(X, attention, scaled=intervention.scaled)
                weights.append(fast.attention_weights(query, key, self.mask))
                return replace(
                    self, attention_inputs=tuple(inputs), weights=tuple(weights), residual=x
                )
            output, maps = fast.multi_head_attention(
                X,
                attention,
                self.mask,
                ablated_heads=intervention.ablated_heads_in(index),
                scaled=intervention.scaled,
            )
            weights.append(maps)
            x = _after_attention(model, layer, x, output)
        return replace(
            self,
            attention_inputs=tuple(inputs),
            weights=tuple(weights),
            residual=None,
            hidden=model.norm(x) if model.norm else x,
        )

    def trace(self, layer: int) -> Trace:
        """Every intermediate of one layer's attention, computed as it is read."""
        return Trace(
            self.attention_inputs[layer],
            intervened_attention(self.model.layers[layer], self.intervention),
            self.mask,
            self.intervention.ablated_heads_in(layer),
            self.intervention.scaled,
            self.weights[layer],
        )

    @property
    def arrays(self) -> tuple[Matrix, ...]:
        """Every array of the pass, once."""
        # With norms after the sums, the residual is the last of the inputs.
        residual = self.residual if self.model.pre_norm else None
        ends = [each for each in (residual, self.hidden) if each is not None]
        return (*self.attention_inputs, *self.weights, *ends)

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
    intervention: Intervention = NO_INTERVENTION,
) -> ForwardPass:
    """Runs `ids` (n tokens) through the layers 0 to `last_layer`, or all and the last norm.

    Of the last layer asked for only the attention is computed, not what follows it. `mask`,
    broadcastable to (n_heads, n, n), holds in every layer.
    Raises `ValueError` if there is no token or there are more than `model.max_tokens`, or if a
    head is to be switched off that the model lacks; `FullyMaskedRowError`.
    """
    n = len(ids)
    check_arguments(model, n, intervention)
    if intervention.random_seed is not None:
        model = untrained_copy(model, intervention.random_seed)
    if intervention.causal or model.causal:
        mask = causal_mask(n) if mask is None else mask & causal_mask(n)
    start = ForwardPass((), (), model.embed(ids), None, model, intervention, mask)
    return start.extend(last_layer)


def check_arguments(model: Transformer, n: int, intervention: Intervention) -> None:
    """Raises `ValueError` for a number of tokens that it cannot read, or heads that it lacks."""
    if not 0 < n <= model.max_tokens:
        raise ValueError(f"{n} tokens; the model takes 1 to {model.max_tokens}")
    for ablated_layer, ablated_head in intervention.ablated_heads:
        if not (0 <= ablated_layer < len(model.layers) and 0 <= ablated_head < model.n_heads):
            raise ValueError(f"there is no head {ablated_head} in a layer {ablated_layer}")


def intervened_attention(layer: Layer, intervention: Intervention) -> AttentionWeights:
    """The layer's attention as an intervention has it, with fewer sets of keys if it says so.

    Raises `ValueError` as `contrast.pooled`. It is made anew each time: models may be large.
    """
    groups = intervention.groups
    return mean_pool_kv(layer.attention, groups) if groups else layer.attention


def _after_attention(model: Transformer, layer: Layer, x: Matrix, output: Matrix) -> Matrix:
    """What enters the next layer; `output` is that of the attention, and is written over."""
    output += x
    if model.pre_norm:
        output += layer.feed_forward(layer.ffn_norm(output))
        return output
    x = layer.attention_norm(output)
    x += layer.feed_forward(x)
    return layer.ffn_norm(x)


def logits(model: Transformer, hidden: Matrix) -> Matrix:
    """Scores of every token of the vocabulary: (n, d_model) -> (n, vocabulary).

    Raises `NoWordHeadError`.
    """
    if model.lm_head is None:
        raise NoLMHeadError
    return model.lm_head(hidden)


@lru_cache(maxsize=8)
def untrained_copy(model: Transformer, seed: int) -> Transformer:
    """The same shapes with untrained numbers: matrices N(0, 0.02²) as before training, norms
    and biases reset. What such a model shows, training did not teach.
    """
    rng = np.random.default_rng(seed)

    def normal_like(array: Matrix) -> Matrix:
        return rng.normal(0.0, 0.02, array.shape).astype(array.dtype)

    return _reinitialised(model, normal_like)


def _reinitialised(model: Transformer, initialise: Callable[[Matrix], Matrix]) -> Transformer:
    token_embedding = initialise(model.token_embedding)
    position_embedding = (
        None if model.position_embedding is None else initialise(model.position_embedding)
    )
    layers = tuple(_reinitialised_layer(each, initialise) for each in model.layers)
    lm_head = model.lm_head
    if lm_head:
        lm_head = replace(
            lm_head,
            weight=token_embedding
            if lm_head.weight is model.token_embedding
            else initialise(lm_head.weight),
            bias=None if lm_head.bias is None else np.zeros_like(lm_head.bias),
            transform=lm_head.transform and _reinitialised_linear(lm_head.transform, initialise),
            norm=lm_head.norm and _reset_norm(lm_head.norm),
        )
    return replace(
        model,
        token_embedding=token_embedding,
        position_embedding=position_embedding,
        layers=layers,
        norm=model.norm and _reset_norm(model.norm),
        lm_head=lm_head,
        embedding_norm=model.embedding_norm and _reset_norm(model.embedding_norm),
    )


def _reinitialised_layer(layer: Layer, initialise: Callable[[Matrix], Matrix]) -> Layer:
    attention = replace(
        layer.attention,
        qkv=initialise(layer.attention.qkv),
        qkv_bias=np.zeros_like(layer.attention.qkv_bias),
        output=initialise(layer.attention.output),
        output_bias=np.zeros_like(layer.attention.output_bias),
    )
    return replace(
        layer,
        attention_norm=_reset_norm(layer.attention_norm),
        attention=attention,
        ffn_norm=_reset_norm(layer.ffn_norm),
        ffn_hidden=_reinitialised_linear(layer.ffn_hidden, initialise),
        ffn_output=_reinitialised_linear(layer.ffn_output, initialise),
        ffn_gate=layer.ffn_gate and _reinitialised_linear(layer.ffn_gate, initialise),
    )


def _reinitialised_linear(linear: Linear, initialise: Callable[[Matrix], Matrix]) -> Linear:
    return Linear(
        initialise(linear.weight), None if linear.bias is None else np.zeros_like(linear.bias)
    )


def _reset_norm(norm: AnyNorm) -> AnyNorm:
    """A norm as before training."""
    if isinstance(norm, LayerNorm):
        return replace(norm, gain=np.ones_like(norm.gain), bias=np.zeros_like(norm.bias))
    return replace(norm, gain=np.ones_like(norm.gain))
