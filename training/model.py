"""The trained model in torch: a small pre-LN transformer encoder with a masked LM head.

The shapes do not depend on the number of heads, so models with the same seed start from the same
random numbers. `app/attention/transformer.py` computes the same in NumPy.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

INITIAL_STD = 0.02


@dataclass(frozen=True)
class ModelSizes:
    n_heads: int
    vocabulary: int
    n_layers: int = 2
    d_model: int = 128
    d_hidden: int = 512
    max_tokens: int = 48

    as_dict = asdict


class SelfAttention(nn.Module):
    def __init__(self, sizes: ModelSizes) -> None:
        super().__init__()
        self.n_heads = sizes.n_heads
        self.qkv = nn.Linear(sizes.d_model, 3 * sizes.d_model)
        self.output = nn.Linear(sizes.d_model, sizes.d_model)

    def forward(self, x: Tensor) -> Tensor:  # (batch, n, d_model) -> (batch, n, d_model)
        batch, n, d_model = x.shape
        heads = self.qkv(x).view(batch, n, 3, self.n_heads, d_model // self.n_heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # each (batch, n_heads, n, d_head)
        scores = query @ key.transpose(-1, -2) / math.sqrt(d_model // self.n_heads)
        context = scores.softmax(-1) @ value  # (batch, n_heads, n, d_head)
        merged: Tensor = context.transpose(1, 2).reshape(batch, n, d_model)
        return self.output(merged)


class Layer(nn.Module):
    def __init__(self, sizes: ModelSizes) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(sizes.d_model)
        self.attention = SelfAttention(sizes)
        self.ffn_norm = nn.LayerNorm(sizes.d_model)
        self.ffn_hidden = nn.Linear(sizes.d_model, sizes.d_hidden)
        self.ffn_output = nn.Linear(sizes.d_hidden, sizes.d_model)

    def forward(self, x: Tensor) -> Tensor:  # (batch, n, d_model) -> (batch, n, d_model)
        x = x + self.attention(self.attention_norm(x))
        return x + self.ffn_output(F.gelu(self.ffn_hidden(self.ffn_norm(x))))


class MaskedLanguageModel(nn.Module):
    """Map token ids to logits over the vocabulary; the output matrix is the token embedding."""

    def __init__(self, sizes: ModelSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.tokens = nn.Embedding(sizes.vocabulary, sizes.d_model)
        self.positions = nn.Embedding(sizes.max_tokens, sizes.d_model)
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes.n_layers))
        self.norm = nn.LayerNorm(sizes.d_model)
        self.logits_bias = nn.Parameter(torch.zeros(sizes.vocabulary))
        self.apply(self._initialise)

    @staticmethod
    def _initialise(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=INITIAL_STD)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)

    def hidden_states(self, ids: Tensor) -> Tensor:  # (batch, n) -> (batch, n, d_model)
        x = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x)
        normed: Tensor = self.norm(x)
        return normed

    def forward(self, ids: Tensor, is_target: Tensor) -> Tensor:
        """Return logits (n_masked, vocabulary) where `is_target` (batch, n) is true."""
        return F.linear(self.hidden_states(ids)[is_target], self.tokens.weight, self.logits_bias)
