"""What the builder must know about an architecture."""

from collections.abc import Callable
from dataclasses import dataclass

from app.models.checkpoints.config import Config


@dataclass(frozen=True)
class Spec:
    """Sizes and options of one model, read from its configuration.

    `activation` and `lm_head_activation` are keys of `app.attention.activations.ACTIVATIONS`;
    `lm_head_activation` is None if the LM head has that of the layers. `rope_theta` is None if
    positions are embedded. `first_position` is the row of the position embedding that belongs to
    the first token. `biases` names the projections that have a bias: "qkv", "output", "ffn".
    `has_lm_head` is False if a tied token embedding must not be used as an LM head.
    """

    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_model: int
    d_head: int
    d_hidden: int
    vocabulary: int
    max_tokens: int
    activation: str
    epsilon: float
    pre_norm: bool
    causal: bool
    tied_embeddings: bool
    biases: frozenset[str] = frozenset({"qkv", "output", "ffn"})
    uses_layer_norm: bool = True
    rope_theta: float | None = None
    first_position: int = 0
    has_lm_head: bool = True
    lm_head_activation: str | None = None


@dataclass(frozen=True)
class TensorNames:
    """Names of an architecture's tensors, in which "{i}" is the layer.

    All but those of the LM head may follow one of `prefixes`. Embeddings and `lm_head_bias` are
    names of tensors; the others are completed by ".weight" and ".bias", norms by the first of
    `norm_gain` and of `norm_bias` that a file has. `qkv` is one name if the three projections are
    stored as one matrix. Matrices are stored (out, in) unless `stored_in_out`. Of `lm_head_bias`,
    the first name that a file has is read if the head is tied, else the last.
    """

    prefixes: tuple[str, ...]
    token_embedding: str
    attention_norm: str
    qkv: tuple[str, ...]
    output: str
    ffn_norm: str
    ffn_hidden: str
    ffn_output: str
    ffn_gate: str | None = None
    position_embedding: str | None = None
    token_type_embedding: str | None = None
    embedding_norm: str | None = None
    norm: str | None = None
    norm_gain: tuple[str, ...] = ("weight", "gamma")
    norm_bias: tuple[str, ...] = ("bias", "beta")
    lm_head_transform: str | None = None
    lm_head_norm: str | None = None
    lm_head: str = ""
    lm_head_bias: tuple[str, ...] = ()
    stored_in_out: bool = False


@dataclass(frozen=True)
class Architecture:
    """A kind of model: its `model_type` values, how its configuration is read, its tensor names."""

    title: str
    model_types: tuple[str, ...]
    read_spec: Callable[[Config], Spec]
    names: TensorNames
