"""From a family's names to a transformer: every shape is checked before its numbers are read."""

from dataclasses import dataclass

import numpy as np

from app.attention.rope import Rotary
from app.attention.transformer import (
    AnyNorm,
    Layer,
    LayerNorm,
    Linear,
    LMHead,
    RMSNorm,
    Transformer,
    arrays_of,
    map_arrays,
)
from app.attention.weights import AttentionWeights
from app.models.checkpoints.architecture import Family, Names, Spec
from app.models.checkpoints.errors import CheckpointError
from app.models.checkpoints.safetensors_reader import Array, Shape, Tensors

ALIGNED = 16
"""Arrays begin at multiples of so many numbers, as processors like to read them."""

BUFFERS = (".attn.bias", ".attn.masked_bias", ".rotary_emb.inv_freq")
"""Parts of layers in old files that follow from the rest: masks, and speeds of turns."""

OLD_NAMES = {"weight": "gamma", "bias": "beta"}
"""What norms' parts are called in files of the first years."""


@dataclass(frozen=True)
class Source:
    """The tensors of one checkpoint, by its family's names."""

    spec: Spec
    names: Names
    tensors: Tensors
    prefix: str

    def check(self, name: str, shape: Shape) -> None:
        """Raises `CheckpointError` unless a tensor is there and has the shape it must have."""
        if name not in self.tensors:
            raise CheckpointError(f"its weights lack {name}")
        found = self.tensors.shape(name)
        if found != shape:
            raise CheckpointError(f"{name} has shape {found}; by config.json it must have {shape}")

    def array(self, name: str, shape: Shape, *, transposed: bool = False) -> Array:
        """A tensor of that shape in float32, turned round if `transposed`."""
        self.check(name, shape)
        into = np.empty(shape[::-1] if transposed else shape, np.float32)
        self.tensors.put(name, into, transposed=transposed)
        return into

    def linear(self, name: str, d_in: int, d_out: int, *, biased: bool) -> Linear:
        stored = (d_in, d_out) if self.names.in_out else (d_out, d_in)
        weight = self.array(f"{name}.weight", stored, transposed=not self.names.in_out)
        return Linear(weight, self.array(f"{name}.bias", (d_out,)) if biased else None)

    def layer_norm(self, name: str) -> LayerNorm:
        shape = (self.spec.d_model,)
        gain, bias = (self.array(self.part(name, part), shape) for part in ("weight", "bias"))
        return LayerNorm(gain, bias, self.spec.epsilon)

    def part(self, name: str, part: str) -> str:
        old = f"{name}.{OLD_NAMES[part]}"
        return old if old in self.tensors else f"{name}.{part}"

    def norm(self, name: str) -> AnyNorm:
        if self.spec.mean_taken_off:
            return self.layer_norm(name)
        gain = self.array(f"{name}.weight", (self.spec.d_model,))
        return RMSNorm(gain, self.spec.epsilon)


def assembled(family: Family, spec: Spec, tensors: Tensors, longest: int) -> Transformer:
    """The model, of which at most `longest` tokens are read. Raises `CheckpointError`."""
    names = family.names
    check_spec(spec)
    prefix = prefix_of(family, tensors)
    source = Source(spec, names, tensors, prefix)
    tokens = source.array(f"{prefix}{names.tokens}.weight", (spec.vocabulary, spec.d_model))
    embedding_norm, norm = names.embedding_norm, names.norm
    model = Transformer(
        token_embedding=tokens,
        position_embedding=positions(source, longest),
        layers=tuple(layer(source, index) for index in range(spec.n_layers)),
        norm=source.norm(prefix + norm) if norm else None,
        lm_head=word_head(source, tokens),
        embedding_norm=source.layer_norm(prefix + embedding_norm) if embedding_norm else None,
        pre_norm=spec.norm_first,
        causal=spec.causal,
        max_context=min(longest, spec.max_tokens),
    )
    check_all_read(source)
    return model


def check_all_read(source: Source) -> None:
    """Raises `CheckpointError` if layers have numbers that nobody asked for: a bias, say, of which
    config.json knows nothing. What would be left out would make another model.
    """
    of_layers = source.prefix + source.names.attention_norm.partition("{i}")[0]
    unread = [name for name in source.tensors.unread(of_layers) if not name.endswith(BUFFERS)]
    if unread:
        raise CheckpointError(f"by config.json it has no {unread[0]}, yet its weights do")


def check_spec(spec: Spec) -> None:
    if not spec.d_head or (spec.d_model % spec.n_heads and spec.rotary_base is None):
        raise CheckpointError(f"{spec.n_heads} heads do not part a width of {spec.d_model}")
    if spec.n_heads % spec.n_kv_heads:
        message = f"{spec.n_heads} heads do not share {spec.n_kv_heads} sets of keys and values"
        raise CheckpointError(message)


def prefix_of(family: Family, tensors: Tensors) -> str:
    for prefix in family.names.prefixes:
        if f"{prefix}{family.names.tokens}.weight" in tensors:
            return prefix
    raise CheckpointError(
        f"its weights have no {family.names.tokens}.weight, which every {family.title} has"
    )


def positions(source: Source, longest: int) -> Array | None:
    """The rows of the first places, with what every token of a first sentence gets besides."""
    spec, names = source.spec, source.names
    if names.positions is None:
        return None
    rows = spec.first_position + spec.max_tokens
    name = f"{source.prefix}{names.positions}.weight"
    whole = source.array(name, (rows, spec.d_model))
    first = spec.first_position
    used = whole[first : first + min(longest, spec.max_tokens)].copy()
    if names.token_types is not None:
        kinds = f"{source.prefix}{names.token_types}.weight"
        if kinds not in source.tensors:
            raise CheckpointError(f"its weights lack {kinds}")
        n_kinds = max((1, *source.tensors.shape(kinds)[:1]))
        used += source.array(kinds, (n_kinds, spec.d_model))[0]
    return used


def layer(source: Source, index: int) -> Layer:
    spec, names = source.spec, source.names

    def at(name: str) -> str:
        return source.prefix + name.format(i=index)

    biased = "ffn" in spec.biases
    gate = names.ffn_gate
    hidden = spec.d_model, spec.d_hidden
    parts = Layer(
        attention_norm=source.norm(at(names.attention_norm)),
        attention=attention(source, tuple(map(at, names.qkv)), at(names.output)),
        ffn_norm=source.norm(at(names.ffn_norm)),
        ffn_hidden=source.linear(at(names.ffn_hidden), *hidden, biased=biased),
        ffn_output=source.linear(at(names.ffn_output), *reversed(hidden), biased=biased),
        ffn_gate=source.linear(at(gate), *hidden, biased=biased) if gate else None,
        activation=spec.activation,
    )
    return in_one_piece(parts)


def in_one_piece(layer: Layer) -> Layer:
    """The layer with its arrays side by side in one stretch of memory, which a system can keep in
    large pages: a pass reads all of it, and looks up fewer places.
    """
    size = sum(array.size + ALIGNED for array in arrays_of(layer))
    memory, used = np.empty(size, np.float32), 0

    def moved(array: Array) -> Array:
        nonlocal used
        place = memory[used : used + array.size].reshape(array.shape)
        place[...] = array
        used += -(-array.size // ALIGNED) * ALIGNED
        return place

    whole: Layer = map_arrays(layer, moved)
    return whole


def attention(source: Source, qkv: tuple[str, ...], output: str) -> AttentionWeights:
    """Queries, keys and values side by side, whether they are stored as one or as three."""
    spec, in_out = source.spec, source.names.in_out
    joined, shared = spec.n_heads * spec.d_head, spec.n_kv_heads * spec.d_head
    widths = (joined, shared, shared) if len(qkv) == 3 else (joined + 2 * shared,)
    biased = "qkv" in spec.biases
    for name, width in zip(qkv, widths, strict=True):
        stored = (spec.d_model, width) if in_out else (width, spec.d_model)
        source.check(f"{name}.weight", stored)
        if biased:
            source.check(f"{name}.bias", (width,))
    weight = np.empty((spec.d_model, sum(widths)), np.float32)
    bias = np.zeros(sum(widths), np.float32)
    column = 0
    for name, width in zip(qkv, widths, strict=True):
        here = slice(column, column + width)
        source.tensors.put(f"{name}.weight", weight[:, here], transposed=not in_out)
        if biased:
            source.tensors.put(f"{name}.bias", bias[here])
        column += width
    mixed = source.linear(output, joined, spec.d_model, biased="output" in spec.biases)
    return AttentionWeights(
        n_heads=spec.n_heads,
        qkv=weight,
        qkv_bias=bias,
        output=mixed.weight,
        output_bias=np.zeros(spec.d_model, np.float32) if mixed.bias is None else mixed.bias,
        n_kv_heads=spec.n_kv_heads,
        rotary=None if spec.rotary_base is None else Rotary(spec.rotary_base),
    )


def word_head(source: Source, tokens: Array) -> LMHead | None:
    """None if the files hold nothing that scores words."""
    spec, names, tensors = source.spec, source.names, source.tensors
    shape = (spec.vocabulary, spec.d_model)
    if names.transform and f"{names.transform}.weight" not in tensors:
        return None
    if f"{names.words}.weight" not in tensors and not (spec.tied and spec.has_words):
        return None
    biases = names.words_bias if spec.tied else reversed(names.words_bias)
    bias = next((name for name in biases if name in tensors), None)
    transform, norm = names.transform, names.transform_norm
    return LMHead(
        weight=tokens if spec.tied else source.array(f"{names.words}.weight", shape),
        bias=source.array(bias, shape[:1]) if bias else None,
        transform=(
            source.linear(transform, spec.d_model, spec.d_model, biased=True) if transform else None
        ),
        activation=head_activation(spec, names),
        norm=source.layer_norm(norm) if norm else None,
    )


def head_activation(spec: Spec, names: Names) -> str:
    """RoBERTa's word head has gelu, whatever its layers have."""
    return "gelu" if names.words.startswith("lm_head") else spec.activation
