"""Changes to a forward pass that leave the model as it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Intervention:
    """A set of changes to a forward pass. Hashable, so that it can be a cache key.

    causal: True if a query reads only itself and earlier tokens.
    ablated_heads: (layer, head) pairs, counted from 0, whose output is replaced by zeros.
    scaled: True if scores are divided by √d_head, as in training.
    random_seed: seed of random weights that replace the trained ones, if not None.
    groups: number of groups that K and V projections are averaged into; 0 for no averaging.
    """

    causal: bool = False
    ablated_heads: frozenset[tuple[int, int]] = frozenset()
    scaled: bool = True
    random_seed: int | None = None
    groups: int = 0

    def ablated_heads_in(self, layer: int) -> tuple[int, ...]:
        """Return the ablated heads of one layer, in ascending order."""
        return tuple(
            sorted(head for ablated_layer, head in self.ablated_heads if ablated_layer == layer)
        )


NO_INTERVENTION = Intervention()
