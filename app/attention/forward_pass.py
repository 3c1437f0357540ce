"""Forward passes that stop at a given layer, and can be extended to later ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.attention import fast
from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.layers import Layer
from app.attention.random_init import untrained_copy
from app.attention.textbook import causal_mask
from app.attention.trace import Trace
from app.attention.transformer import Transformer
from app.attention.variants import mean_pool_kv
from app.attention.weights import AttentionWeights, Mask, Matrix


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """The results of a forward pass over n tokens, from layer 0 to the last layer computed."""

    attention_inputs: tuple[Matrix, ...]  # per layer: X of `trace`, (n, d_model)
    weights: tuple[Matrix, ...]  # per layer: (n_heads, n, n)
    residual: Matrix | None  # (n, d_model), input of the last layer; None at the model's end
    hidden: Matrix | None  # (n, d_model) after the final norm; None before the model's end
    model: Transformer
    intervention: Intervention
    mask: Mask | None

    def reaches(self, last_layer: int | None) -> bool:
        """Return whether the pass includes `last_layer`, or the model's end if None."""
        if last_layer is None:
            return self.hidden is not None
        return self.hidden is not None or last_layer < len(self.weights)

    def extend(self, last_layer: int | None = None) -> "ForwardPass":
        """Return the pass up to `last_layer`, or to the model's end, reusing earlier layers.

        The attention of the last computed layer is computed again: only its weights were stored,
        not its output.
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
            x = _next_residual(model, layer, x, output)
        return replace(
            self,
            attention_inputs=tuple(inputs),
            weights=tuple(weights),
            residual=None,
            hidden=model.norm(x) if model.norm else x,
        )

    def trace(self, layer: int) -> Trace:
        """Return every intermediate of one layer's attention, each computed when it is read."""
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
        # Without pre-norm, the residual is the last of the inputs.
        residual = self.residual if self.model.pre_norm else None
        ends = [each for each in (residual, self.hidden) if each is not None]
        return (*self.attention_inputs, *self.weights, *ends)

    @property
    def nbytes(self) -> int:
        """Size of the arrays in bytes."""
        return sum(array.nbytes for array in self.arrays)


def forward(
    model: Transformer,
    ids: Sequence[int],
    *,
    last_layer: int | None = None,
    mask: Mask | None = None,
    intervention: Intervention = NO_INTERVENTION,
) -> ForwardPass:
    """Run n token ids through layers 0 to `last_layer`, or through the whole model if None.

    `last_layer` is computed up to its attention weights. `mask`, broadcastable to (n_heads, n, n),
    applies to every layer, together with the causal mask if there is one.
    Raises ValueError for no tokens, too many tokens or an ablated head that does not exist, and
    `FullyMaskedRowError`.
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
    """Raise ValueError unless the model accepts `n` tokens and has all ablated heads."""
    if not 0 < n <= model.max_tokens:
        raise ValueError(f"There are {n} tokens, but the model takes 1 to {model.max_tokens}.")
    for layer, head in intervention.ablated_heads:
        if not (0 <= layer < len(model.layers) and 0 <= head < model.n_heads):
            raise ValueError(
                f"There is no head {head} in layer {layer}. The model has"
                f" {len(model.layers)} layers of {model.n_heads} heads, counted from 0."
            )


def intervened_attention(layer: Layer, intervention: Intervention) -> AttentionWeights:
    """Return the layer's attention weights, with K and V pooled if the intervention says so.

    Pooled weights are computed on every call, because a model's weights may be large.
    Raises ValueError as `mean_pool_kv` does.
    """
    groups = intervention.groups
    return mean_pool_kv(layer.attention, groups) if groups else layer.attention


def _next_residual(model: Transformer, layer: Layer, x: Matrix, output: Matrix) -> Matrix:
    """Return the input of the next layer; overwrites `output`, the attention's output.

    x, output and result are (n, d_model).
    """
    output += x
    if model.pre_norm:
        output += layer.feed_forward(layer.ffn_norm(output))
        return output
    x = layer.attention_norm(output)
    x += layer.feed_forward(x)
    return layer.ffn_norm(x)
