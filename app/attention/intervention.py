"""What can be changed in a forward pass without touching the model: arguments, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Intervention:
    """Hashable, so that results can be kept by it.

    causal: a query reads only itself and what stands before it.
    heads_off: (layer, head) pairs whose output is replaced by zeros, both counted from 0.
    scaled: whether scores are divided by √d_head, as in training.
    random_seed: if given, all weights are replaced by untrained ones drawn from this seed.
    groups: K/V projections are averaged into so many groups; 0 leaves them as trained.
    """

    causal: bool = False
    ablated_heads: frozenset[tuple[int, int]] = frozenset()
    scaled: bool = True
    random_seed: int | None = None
    groups: int = 0

    def ablated_heads_in(self, layer: int) -> tuple[int, ...]:
        return tuple(
            sorted(head for ablated_layer, head in self.ablated_heads if ablated_layer == layer)
        )


NO_INTERVENTION = Intervention()
