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
from app.models.checkpoints.architecture import Architecture, Spec, TensorNames
from app.models.checkpoints.errors import CheckpointError
from app.models.checkpoints.safetensors_reader import Array, SafetensorsReader, Shape

ALIGNMENT = 16
"""Arrays begin at multiples of so many numbers, as processors like to read them."""

BUFFER_SUFFIXES = (".attn.bias", ".attn.masked_bias", ".rotary_emb.inv_freq")
"""Parts of layers in old files that follow from the rest: masks, and speeds of turns."""

LEGACY_NAMES = {"weight": "gamma", "bias": "beta"}
"""What norms' parts are called in files of the first years."""


@dataclass(frozen=True)
class TensorLoader:
    """The tensors of one checkpoint, by its family's names."""

    spec: Spec
    names: TensorNames
    tensors: SafetensorsReader
    prefix: str

    def check_shape(self, name: str, shape: Shape) -> None:
        """Raises `CheckpointError` unless a tensor is there and has the shape it must have."""
        if name not in self.tensors:
            raise CheckpointError(f"its weights lack {name}")
        found = self.tensors.shape(name)
        if found != shape:
            raise CheckpointError(f"{name} has shape {found}; by config.json it must have {shape}")

    def array(self, name: str, shape: Shape, *, transposed: bool = False) -> Array:
        """A tensor of that shape in float32, turned round if `transposed`."""
        self.check_shape(name, shape)
        array = np.empty(shape[::-1] if transposed else shape, np.float32)
        self.tensors.read_into(name, array, transposed=transposed)
        return array

    def linear(self, name: str, d_in: int, d_out: int, *, bias: bool) -> Linear:
        shape = (d_in, d_out) if self.names.stored_in_out else (d_out, d_in)
        weight = self.array(f"{name}.weight", shape, transposed=not self.names.stored_in_out)
        return Linear(weight, self.array(f"{name}.bias", (d_out,)) if bias else None)

    def layer_norm(self, name: str) -> LayerNorm:
        shape = (self.spec.d_model,)
        gain, bias = (
            self.array(self.parameter_name(name, parameter), shape)
            for parameter in ("weight", "bias")
        )
        return LayerNorm(gain, bias, self.spec.epsilon)

    def parameter_name(self, name: str, parameter: str) -> str:
        legacy_name = f"{name}.{LEGACY_NAMES[parameter]}"
        return legacy_name if legacy_name in self.tensors else f"{name}.{parameter}"

    def norm(self, name: str) -> AnyNorm:
        if self.spec.uses_layer_norm:
            return self.layer_norm(name)
        gain = self.array(f"{name}.weight", (self.spec.d_model,))
        return RMSNorm(gain, self.spec.epsilon)


def build_transformer(
    architecture: Architecture, spec: Spec, tensors: SafetensorsReader, max_context: int
) -> Transformer:
    """The model, of which at most `max_context` tokens are read. Raises `CheckpointError`."""
    names = architecture.names
    check_spec(spec)
    prefix = find_prefix(architecture, tensors)
    loader = TensorLoader(spec, names, tensors, prefix)
    token_embedding = loader.array(
        f"{prefix}{names.token_embedding}.weight", (spec.vocabulary, spec.d_model)
    )
    embedding_norm, norm = names.embedding_norm, names.norm
    model = Transformer(
        token_embedding=token_embedding,
        position_embedding=load_position_embedding(loader, max_context),
        layers=tuple(build_layer(loader, index) for index in range(spec.n_layers)),
        norm=loader.norm(prefix + norm) if norm else None,
        lm_head=build_lm_head(loader, token_embedding),
        embedding_norm=loader.layer_norm(prefix + embedding_norm) if embedding_norm else None,
        pre_norm=spec.pre_norm,
        causal=spec.causal,
        max_context=min(max_context, spec.max_tokens),
    )
    check_no_unused_tensors(loader)
    return model


def check_no_unused_tensors(loader: TensorLoader) -> None:
    """Raises `CheckpointError` if layers have numbers that nobody asked for: a bias, say, of which
    config.json knows nothing. What would be left out would make another model.
    """
    layers_prefix = loader.prefix + loader.names.attention_norm.partition("{i}")[0]
    unused = [
        name for name in loader.tensors.unused(layers_prefix) if not name.endswith(BUFFER_SUFFIXES)
    ]
    if unused:
        raise CheckpointError(f"by config.json it has no {unused[0]}, yet its weights do")


def check_spec(spec: Spec) -> None:
    if not spec.d_head or (spec.d_model % spec.n_heads and spec.rope_theta is None):
        raise CheckpointError(f"{spec.n_heads} heads do not part a width of {spec.d_model}")
    if spec.n_heads % spec.n_kv_heads:
        message = f"{spec.n_heads} heads do not share {spec.n_kv_heads} sets of keys and values"
        raise CheckpointError(message)


def find_prefix(architecture: Architecture, tensors: SafetensorsReader) -> str:
    for prefix in architecture.names.prefixes:
        if f"{prefix}{architecture.names.token_embedding}.weight" in tensors:
            return prefix
    raise CheckpointError(
        f"its weights have no {architecture.names.token_embedding}.weight,"
        f" which every {architecture.title} has"
    )


def load_position_embedding(loader: TensorLoader, max_context: int) -> Array | None:
    """The rows of the first places, with what every token of a first sentence gets besides."""
    spec, names = loader.spec, loader.names
    if names.position_embedding is None:
        return None
    rows = spec.first_position + spec.max_tokens
    name = f"{loader.prefix}{names.position_embedding}.weight"
    table = loader.array(name, (rows, spec.d_model))
    first = spec.first_position
    embedding = table[first : first + min(max_context, spec.max_tokens)].copy()
    if names.token_type_embedding is not None:
        type_name = f"{loader.prefix}{names.token_type_embedding}.weight"
        if type_name not in loader.tensors:
            raise CheckpointError(f"its weights lack {type_name}")
        n_types = max((1, *loader.tensors.shape(type_name)[:1]))
        embedding += loader.array(type_name, (n_types, spec.d_model))[0]
    return embedding


def build_layer(loader: TensorLoader, index: int) -> Layer:
    spec, names = loader.spec, loader.names

    def full_name(name: str) -> str:
        return loader.prefix + name.format(i=index)

    bias = "ffn" in spec.biases
    gate = names.ffn_gate
    ffn_shape = spec.d_model, spec.d_hidden
    layer = Layer(
        attention_norm=loader.norm(full_name(names.attention_norm)),
        attention=build_attention(
            loader, tuple(map(full_name, names.qkv)), full_name(names.output)
        ),
        ffn_norm=loader.norm(full_name(names.ffn_norm)),
        ffn_hidden=loader.linear(full_name(names.ffn_hidden), *ffn_shape, bias=bias),
        ffn_output=loader.linear(full_name(names.ffn_output), *reversed(ffn_shape), bias=bias),
        ffn_gate=loader.linear(full_name(gate), *ffn_shape, bias=bias) if gate else None,
        activation=spec.activation,
    )
    return packed(layer)


def packed(layer: Layer) -> Layer:
    """The layer with its arrays side by side in one stretch of memory, which a system can keep in
    large pages: a pass reads all of it, and looks up fewer places.
    """
    size = sum(array.size + ALIGNMENT for array in arrays_of(layer))
    memory, used = np.empty(size, np.float32), 0

    def pack(array: Array) -> Array:
        nonlocal used
        view = memory[used : used + array.size].reshape(array.shape)
        view[...] = array
        used += -(-array.size // ALIGNMENT) * ALIGNMENT
        return view

    packed_layer: Layer = map_arrays(layer, pack)
    return packed_layer


def build_attention(
    loader: TensorLoader, qkv: tuple[str, ...], output_name: str
) -> AttentionWeights:
    """Queries, keys and values side by side, whether they are stored as one or as three."""
    spec, stored_in_out = loader.spec, loader.names.stored_in_out
    q_width, kv_width = spec.n_heads * spec.d_head, spec.n_kv_heads * spec.d_head
    widths = (q_width, kv_width, kv_width) if len(qkv) == 3 else (q_width + 2 * kv_width,)
    has_bias = "qkv" in spec.biases
    for name, width in zip(qkv, widths, strict=True):
        shape = (spec.d_model, width) if stored_in_out else (width, spec.d_model)
        loader.check_shape(f"{name}.weight", shape)
        if has_bias:
            loader.check_shape(f"{name}.bias", (width,))
    weight = np.empty((spec.d_model, sum(widths)), np.float32)
    bias = np.zeros(sum(widths), np.float32)
    column = 0
    for name, width in zip(qkv, widths, strict=True):
        columns = slice(column, column + width)
        loader.tensors.read_into(f"{name}.weight", weight[:, columns], transposed=not stored_in_out)
        if has_bias:
            loader.tensors.read_into(f"{name}.bias", bias[columns])
        column += width
    output = loader.linear(output_name, q_width, spec.d_model, bias="output" in spec.biases)
    return AttentionWeights(
        n_heads=spec.n_heads,
        qkv=weight,
        qkv_bias=bias,
        output=output.weight,
        output_bias=np.zeros(spec.d_model, np.float32) if output.bias is None else output.bias,
        n_kv_heads=spec.n_kv_heads,
        rotary=None if spec.rope_theta is None else Rotary(spec.rope_theta),
    )


def build_lm_head(loader: TensorLoader, token_embedding: Array) -> LMHead | None:
    """None if the files hold nothing that scores words."""
    spec, names, tensors = loader.spec, loader.names, loader.tensors
    shape = (spec.vocabulary, spec.d_model)
    if names.lm_head_transform and f"{names.lm_head_transform}.weight" not in tensors:
        return None
    if f"{names.lm_head}.weight" not in tensors and not (spec.tied_embeddings and spec.has_lm_head):
        return None
    bias_names = names.lm_head_bias if spec.tied_embeddings else reversed(names.lm_head_bias)
    bias = next((name for name in bias_names if name in tensors), None)
    transform, norm = names.lm_head_transform, names.lm_head_norm
    return LMHead(
        weight=token_embedding
        if spec.tied_embeddings
        else loader.array(f"{names.lm_head}.weight", shape),
        bias=loader.array(bias, shape[:1]) if bias else None,
        transform=(
            loader.linear(transform, spec.d_model, spec.d_model, bias=True) if transform else None
        ),
        activation=lm_head_activation(spec, names),
        norm=loader.layer_norm(norm) if norm else None,
    )


def lm_head_activation(spec: Spec, names: TensorNames) -> str:
    """RoBERTa's word head has gelu, whatever its layers have."""
    return "gelu" if names.lm_head.startswith("lm_head") else spec.activation
