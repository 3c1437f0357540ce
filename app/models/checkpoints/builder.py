"""Build a transformer from the tensors of a checkpoint."""

from dataclasses import dataclass

import numpy as np

from app.attention.array_tree import arrays_of, map_arrays
from app.attention.layers import AnyNorm, Layer, LayerNorm, Linear, LMHead, RMSNorm
from app.attention.rope import Rotary
from app.attention.transformer import Transformer
from app.attention.weights import AttentionWeights
from app.models.checkpoints.architecture import Architecture, Spec, TensorNames
from app.models.checkpoints.errors import CheckpointError
from app.models.checkpoints.safetensors_reader import Array, SafetensorsReader, Shape

ALIGNMENT = 16
"""Packed arrays start at multiples of this many numbers, which is 64 bytes: a cache line."""

BUFFER_SUFFIXES = (".attn.bias", ".attn.masked_bias", ".rotary_emb.inv_freq")
"""Tensors of layers in old files that are computed here: causal masks and rotary frequencies."""


@dataclass(frozen=True)
class TensorLoader:
    """Reads the tensors of one checkpoint in float32 after checking their shapes.

    All methods raise `CheckpointError` if a tensor is missing or has another shape.
    """

    spec: Spec
    names: TensorNames
    tensors: SafetensorsReader
    prefix: str

    def check_shape(self, name: str, shape: Shape) -> None:
        found = self.shape(name)
        if found != shape:
            raise CheckpointError(
                f"{name} has shape {found}, but the configuration requires {shape}"
            )

    def shape(self, name: str) -> Shape:
        if name not in self.tensors:
            raise CheckpointError(f"the weights have no tensor {name}")
        return self.tensors.shape(name)

    def array(self, name: str, shape: Shape, *, transposed: bool = False) -> Array:
        """Return the tensor of this shape, or its transpose."""
        self.check_shape(name, shape)
        array = np.empty(shape[::-1] if transposed else shape, np.float32)
        self.tensors.read_into(name, array, transposed=transposed)
        return array

    def linear(self, name: str, d_in: int, d_out: int, *, bias: bool) -> Linear:
        shape = (d_in, d_out) if self.names.stored_in_out else (d_out, d_in)
        weight = self.array(f"{name}.weight", shape, transposed=not self.names.stored_in_out)
        return Linear(weight, self.array(f"{name}.bias", (d_out,)) if bias else None)

    def norm(self, name: str) -> AnyNorm:
        if self.spec.uses_layer_norm:
            return self.layer_norm(name)
        return RMSNorm(self._norm_parameter(name, self.names.norm_gain), self.spec.epsilon)

    def layer_norm(self, name: str) -> LayerNorm:
        gain = self._norm_parameter(name, self.names.norm_gain)
        bias = self._norm_parameter(name, self.names.norm_bias)
        return LayerNorm(gain, bias, self.spec.epsilon)

    def _norm_parameter(self, name: str, endings: tuple[str, ...]) -> Array:
        names = [f"{name}.{ending}" for ending in endings]
        present = [each for each in names if each in self.tensors]
        return self.array((present or names)[0], (self.spec.d_model,))


def build_transformer(
    architecture: Architecture, spec: Spec, tensors: SafetensorsReader, max_context: int
) -> Transformer:
    """Build the model, limited to `max_context` tokens.

    Raises `CheckpointError` if a tensor is missing, has another shape than the configuration
    requires, contains infinity or NaN, or is not described by the configuration.
    """
    names = architecture.names
    check_spec(spec)
    prefix = find_prefix(architecture, tensors)
    loader = TensorLoader(spec, names, tensors, prefix)
    token_embedding = loader.array(prefix + names.token_embedding, (spec.vocabulary, spec.d_model))
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
    """Raise `CheckpointError` if a tensor of the layers was not read.

    An example is a bias that config.json does not mention: without it the model would be another.
    """
    layers_prefix = loader.prefix + loader.names.attention_norm.partition("{i}")[0]
    unused = [
        name for name in loader.tensors.unused(layers_prefix) if not name.endswith(BUFFER_SUFFIXES)
    ]
    if unused:
        raise CheckpointError(
            f"the weights have a tensor {unused[0]}, which the configuration does not describe"
        )


def check_spec(spec: Spec) -> None:
    """Raise `CheckpointError` if the sizes do not fit each other."""
    if not spec.d_head or (spec.d_model % spec.n_heads and spec.rope_theta is None):
        raise CheckpointError(f"a width of {spec.d_model} is not divisible by {spec.n_heads} heads")
    if spec.n_heads % spec.n_kv_heads:
        raise CheckpointError(
            f"{spec.n_heads} heads cannot share {spec.n_kv_heads} sets of keys and values"
        )


def find_prefix(architecture: Architecture, tensors: SafetensorsReader) -> str:
    """Return the prefix of the tensor names. Raises `CheckpointError`."""
    for prefix in architecture.names.prefixes:
        if f"{prefix}{architecture.names.token_embedding}" in tensors:
            return prefix
    raise CheckpointError(
        f"the weights have no tensor {architecture.names.token_embedding},"
        f" which every {architecture.title} model has"
    )


def load_position_embedding(loader: TensorLoader, max_context: int) -> Array | None:
    """Return the position embedding (at most max_context, d_model), None if there is none.

    A sentence has token type 0 throughout, so that embedding is added to every position.
    """
    spec, names = loader.spec, loader.names
    if names.position_embedding is None:
        return None
    first = spec.first_position
    table = loader.array(
        loader.prefix + names.position_embedding, (first + spec.max_tokens, spec.d_model)
    )
    embedding = table[first : first + min(max_context, spec.max_tokens)].copy()
    if names.token_type_embedding is not None:
        type_name = loader.prefix + names.token_type_embedding
        n_types = max((1, *loader.shape(type_name)[:1]))
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
    """Return a copy of the layer with all arrays in one block of memory.

    The operating system can map one block with large pages; a forward pass reads all of it.
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
    """Build the four projections; `qkv` is one name or three."""
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
    """Build the LM head, None if the checkpoint has none."""
    spec, names, tensors = loader.spec, loader.names, loader.tensors
    shape = (spec.vocabulary, spec.d_model)
    if names.lm_head_transform and f"{names.lm_head_transform}.weight" not in tensors:
        return None
    if f"{names.lm_head}.weight" not in tensors and not (spec.tied_embeddings and spec.has_lm_head):
        return None
    transform, norm = names.lm_head_transform, names.lm_head_norm
    return LMHead(
        weight=token_embedding
        if spec.tied_embeddings
        else loader.array(f"{names.lm_head}.weight", shape),
        bias=load_lm_head_bias(loader),
        transform=(
            loader.linear(transform, spec.d_model, spec.d_model, bias=True) if transform else None
        ),
        activation=spec.lm_head_activation or spec.activation,
        norm=loader.layer_norm(norm) if norm else None,
    )


def load_lm_head_bias(loader: TensorLoader) -> Array | None:
    """Return the bias of the LM head (vocabulary,), None if the architecture has none."""
    names = loader.names.lm_head_bias
    if not names:
        return None
    present = [name for name in names if name in loader.tensors] or [names[0]]
    name = present[0 if loader.spec.tied_embeddings else -1]
    return loader.array(name, (loader.spec.vocabulary,))
