"""Model cards: sizes of a model, and how it was trained."""

from typing import Literal

from pydantic import Field

from app.models.record import Record


class ValidationPoint(Record):
    """A point of the validation curve.

    `loss` is in nats per masked token, `accuracy` from 0 to 1.
    """

    step: int
    loss: float
    accuracy: float


class Training(Record):
    """How the weights were trained.

    `tokens` is the number of tokens read in training, repeats included. Losses are in nats per
    masked token; `sample_loss` is that on `training/sample.txt`, which anyone can compute again.
    `command` trains the model again.
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


class Card(Record):
    """Sizes of a model, and how it was trained. Fields are described by their names in JSON.

    `source` is "trained" for a model that ships with Headwise, "random" for an untrained copy of
    one, and "checkpoint" for any other. `family` is the architecture. `n_kv_heads` is the number of
    key and value heads in a layer, or 0 if each head has its own. `training` is null except for
    trained models; its validation figures are those of the shipped float16 weights. `random_seed`
    is the seed of random weights, else null. `guesses` is what the model predicts: a "hidden" word,
    the "next" one, or "nothing". `has_specials` is true if the tokenizer adds special tokens, and
    `has_turns` if positions are rotary.
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
        """Number of key and value heads in a layer: `n_heads` if each head has its own."""
        return self.stored_n_kv_heads or self.n_heads

    def untrained_copy(self, seed: int) -> "Card":
        """Return the card of a model of the same shape with random weights."""
        changes = {"id": f"{self.id}-random", "kind": "random", "random_seed": seed}
        return self.model_copy(update=changes | {"training": None})
