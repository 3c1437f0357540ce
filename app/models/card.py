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
    """How the weights came about. `tokens` counts every token read, repeats included."""

    data: str
    task: str
    seed: int
    steps: int
    tokens: int
    command: str
    validation_loss: float
    validation_accuracy: float
    curve: list[ValidationPoint]


class Card(_Record):
    """One shipped model. The validation figures are those of the float16 weights."""

    id: str
    source: Literal["trained"] = "trained"
    n_layers: int
    n_heads: int
    d_model: int
    d_head: int
    d_hidden: int
    max_tokens: int
    vocabulary: int
    parameters: int
    training: Training
