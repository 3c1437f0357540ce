"""What the `.toml` of a step may give a lab or a prediction beside its name."""

from typing import NewType

from pydantic import BaseModel, ConfigDict, Field

ModelName = NewType("ModelName", str)
"""A model that must exist."""


class Options(BaseModel):
    """Frozen, and nothing else may be given."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoOptions(Options):
    """Most labs and predictions have no options of their own."""


class CacheSizes(Options):
    """A model's sizes, as far as keys and values are concerned: `kv_heads` sets of them a layer."""

    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    kv_heads: int = Field(ge=1)
    d_head: int = Field(ge=1)

    def kv_cache_size(self, n_tokens: int) -> int:
        """Numbers kept for n tokens: keys and values of every layer."""
        return 2 * self.layers * self.kv_heads * self.d_head * n_tokens

    @property
    def unshared(self) -> "CacheSizes":
        """The same with keys and values for every head."""
        return self.model_copy(update={"kv_heads": self.heads})
