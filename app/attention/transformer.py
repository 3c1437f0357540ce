"""The weights of a transformer, from token ids to logits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.attention.layers import AnyNorm, Layer, LMHead
from app.attention.weights import Matrix


class NoLMHeadError(ValueError):
    """Raised if logits are requested from a model whose files contain no LM head."""

    def __init__(self) -> None:
        super().__init__("This model has no LM head, so it cannot predict tokens.")


@dataclass(frozen=True, eq=False)
class Transformer:
    """Embeddings, layers and what follows them.

    position_embedding: None if the positions are in `rotary` of the attention weights instead.
    pre_norm: True if the norms precede attention and feed-forward network, False if they follow
        the residual sums.
    causal: True if a query reads only itself and earlier tokens, whatever the intervention.
    max_context: the most tokens to accept; 0 for the number of learned positions.
    """

    token_embedding: Matrix  # (vocabulary, d_model)
    position_embedding: Matrix | None  # (n_positions, d_model)
    layers: tuple[Layer, ...]
    norm: AnyNorm | None  # after the last layer
    lm_head: LMHead | None
    embedding_norm: AnyNorm | None = None
    pre_norm: bool = True
    causal: bool = False
    max_context: int = 0

    @property
    def max_tokens(self) -> int:
        """The most tokens that a forward pass accepts."""
        if self.max_context or self.position_embedding is None:
            return self.max_context
        return int(self.position_embedding.shape[0])

    @property
    def n_heads(self) -> int:
        return self.layers[0].attention.n_heads

    def embed(self, ids: Sequence[int]) -> Matrix:
        """Return the input of the first layer: n token ids -> (n, d_model)."""
        x: Matrix = self.token_embedding[np.asarray(ids)]
        if self.position_embedding is not None:
            x = x + self.position_embedding[: len(ids)]
        return self.embedding_norm(x) if self.embedding_norm else x


def logits(model: Transformer, hidden: Matrix) -> Matrix:
    """Return the logits of every token of the vocabulary: (n, d_model) -> (n, vocabulary).

    Raises `NoLMHeadError`.
    """
    if model.lm_head is None:
        raise NoLMHeadError
    return model.lm_head(hidden)
