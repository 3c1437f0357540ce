"""What is known of a model: sizes, and how it was trained."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Record(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True
    )


class ValidationPoint(_Record):
    """A point of the loss curve; loss in nats per masked token, accuracy as a share."""

    step: int
    loss: float
    accuracy: float


class Training(_Record):
    """How the weights came about. `tokens` counts every token read, repeats included.

    `sample_loss` is the loss on `training/sample.txt`, by which the shipped weights can be checked.
    """

    data: str
    task: str
    seed: int
    steps: int
    tokens: int
    command: str
    validation_loss: float
    validation_accuracy: float
    sample_loss: float
    curve: list[ValidationPoint]


class Card(_Record):
    """One model. The validation figures are those of the float16 weights that ship.

    An untrained twin has no `training` but the seed that its numbers are drawn from; a checkpoint
    has neither. `stored_n_kv_heads` is how many sets of keys and values a layer's heads share, 0 if
    none are shared. The model `predicts` a hidden word, the next one, or nothing. It
    `adds_special_tokens` if its tokenizer does, and `uses_rope` if queries and keys are rotated by
    their positions.
    """

    id: str
    kind: Literal["trained", "random", "checkpoint"] = Field("trained", alias="source")
    architecture: str = Field("Headwise", alias="family")
    n_layers: int
    n_heads: int
    d_model: int
    d_head: int
    d_hidden: int
    max_tokens: int
    vocabulary: int
    parameters: int
    training: Training | None = None
    random_seed: int | None = None
    stored_n_kv_heads: int = Field(0, alias="n_kv_heads")
    predicts: Literal["hidden", "next", "nothing"] = Field("hidden", alias="guesses")
    causal: bool = False
    adds_special_tokens: bool = Field(default=False, alias="has_specials")
    uses_rope: bool = Field(default=False, alias="has_turns")

    @property
    def n_kv_heads(self) -> int:
        """Sets of keys and values in a layer; as many as heads where none are shared."""
        return self.stored_n_kv_heads or self.n_heads

    def untrained_copy(self, seed: int) -> "Card":
        """The card of a model of the same shape whose weights are drawn and never trained."""
        changes = {"id": f"{self.id}-random", "kind": "random", "random_seed": seed}
        return self.model_copy(update=changes | {"training": None})
