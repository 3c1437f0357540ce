"""What is known of a model: sizes, and how it was trained."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


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
    has neither. `n_kv_heads` is how many sets of keys and values a layer's heads share, `guesses`
    what the model can be asked to guess: a hidden word, the next one, or nothing. It `has_specials`
    if its tokenizer adds tokens, and `has_turns` if queries and keys are turned by their places.
    """

    id: str
    source: Literal["trained", "random", "checkpoint"] = "trained"
    family: str = "Headwise"
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
    n_kv_heads: int = 0
    guesses: Literal["hidden", "next", "nothing"] = "hidden"
    causal: bool = False
    has_specials: bool = False
    has_turns: bool = False

    @property
    def n_sets(self) -> int:
        """Sets of keys and values in a layer; as many as heads where none are shared."""
        return self.n_kv_heads or self.n_heads

    def twin(self, seed: int) -> "Card":
        """The card of a model of the same shape whose weights are drawn and never trained."""
        changes = {"id": f"{self.id}-random", "source": "random", "random_seed": seed}
        return self.model_copy(update=changes | {"training": None})
