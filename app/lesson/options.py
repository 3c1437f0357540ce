"""Options that a step's `.toml` gives to its lab or its prediction."""

from typing import NewType

from pydantic import BaseModel, ConfigDict, Field

ModelName = NewType("ModelName", str)
"""The id of a model; validation checks that the model exists."""


class Options(BaseModel):
    """Base class of options: immutable, and unknown keys are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoOptions(Options):
    """For labs and predictions without options."""


class CacheSizes(Options):
    """The sizes of a model that determine its key/value cache."""

    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    kv_heads: int = Field(ge=1)
    d_head: int = Field(ge=1)

    def kv_cache_size(self, n_tokens: int) -> int:
        """Return how many numbers the keys and values of every layer have."""
        return 2 * self.layers * self.kv_heads * self.d_head * n_tokens

    @property
    def unshared(self) -> "CacheSizes":
        """The same model with keys and values for each head."""
        return self.model_copy(update={"kv_heads": self.heads})
