"""What is to be known of a model's build, whatever family it is of."""

from collections.abc import Callable
from dataclasses import dataclass

from app.models.checkpoints.config import Config


@dataclass(frozen=True)
class Spec:
    """Sizes, and how the parts are put together.

    `rope_theta` is None where positions are learned; `first_position` is the row of the first
    token's. `biases` names what has biases: "qkv", "output", "ffn". `has_lm_head` is false where
    the configuration says that a tied embedding scores no words.
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


@dataclass(frozen=True)
class TensorNames:
    """Where a family's files keep what; "{i}" stands for the layer.

    All but those of the word head stand behind one of `prefixes`. `qkv` is one name if the three
    are stored as one; matrices are stored (out, in) unless `stored_in_out`. Of `lm_head_bias` the
    first that is there is added where the head is tied, the last where it is not.
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
    lm_head_transform: str | None = None
    lm_head_norm: str | None = None
    lm_head: str = ""
    lm_head_bias: tuple[str, ...] = ()
    stored_in_out: bool = False


@dataclass(frozen=True)
class Architecture:
    """One adapter: which configurations are its, what they mean, and how its tensors are named."""

    title: str
    model_types: tuple[str, ...]
    read_spec: Callable[[Config], Spec]
    names: TensorNames
