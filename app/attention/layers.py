"""The layers of a transformer other than attention: norms, linear maps and the output layer."""

from dataclasses import dataclass

import numpy as np

from app.attention.activations import ACTIVATIONS
from app.attention.matmul import matmul
from app.attention.weights import AttentionWeights, Matrix


def root_mean_square(x: Matrix, epsilon: float) -> Matrix:
    """Return √(mean of squares + epsilon) of each row: (n, d_model) -> (n, 1)."""
    squares: Matrix = np.matmul(x[:, None, :], x[:, :, None])[:, :, 0]
    squares /= x.shape[-1]
    squares += epsilon
    return np.sqrt(squares, out=squares)


@dataclass(frozen=True, eq=False)
class LayerNorm:
    """Layer normalisation over the last axis. Source: Ba et al. 2016, "Layer Normalization"."""

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
    """Normalisation by the root mean square, without subtracting the mean and without a bias.

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
    """A linear map x W + b. The weight is stored as (in, out), the transpose of PyTorch's."""

    weight: Matrix  # (d_in, d_out)
    bias: Matrix | None  # (d_out,)

    def __call__(self, x: Matrix) -> Matrix:  # (n, d_in) -> (n, d_out)
        out = matmul(x, self.weight)
        if self.bias is not None:
            out += self.bias
        return out


@dataclass(frozen=True, eq=False)
class Layer:
    """One transformer layer: attention and a feed-forward network, each with a norm.

    With `ffn_gate`, the activation is applied to the gate, whose output multiplies that of
    `ffn_hidden`. Source: Shazeer 2020, "GLU Variants Improve Transformer".
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
    """The output layer of a language model: hidden states to logits of all tokens.

    Some models first apply `transform`, the activation and a norm. `weight` may be the token
    embedding itself. Source: Press & Wolf 2017, "Using the Output Embedding to Improve Language
    Models".
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
        logits: Matrix = hidden @ self.weight.T
        if self.bias is not None:
            logits += self.bias
        return logits
