"""The models that ship with Headwise: where their files lie and how they are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import file_digest, sha256
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from app.attention.transformer import Layer, LayerNorm, Linear, LMHead, Transformer
from app.attention.weights import AttentionWeights, Matrix
from app.evaluation.report import Evidence, evidence_file
from app.models.card import Card

BUILTIN_FOLDER = Path(__file__).parent / "family"


class BrokenModelError(ValueError):
    """The files of a model are missing, damaged, or disagree with its card."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"{folder}: {reason}")


def weights_file(root: Path, model_id: str) -> Path:
    return root / model_id / "weights.safetensors"


def card_file(root: Path, model_id: str) -> Path:
    return root / model_id / "card.json"


def tokenizer_file(root: Path) -> Path:
    return root / "tokenizer.json"


@dataclass(frozen=True)
class Fingerprint:
    """The files that weights were read from, as they were then: their digest, and their size."""

    sha256: str
    n_bytes: int


def fingerprint_of(files: Sequence[Path]) -> Fingerprint:
    return Fingerprint(sha256_of(*files), sum(file.stat().st_size for file in files))


def sha256_of(*files: Path) -> str:
    """SHA-256 of a file, in hexadecimal; of several that of theirs, one after the other."""
    digests = []
    for file in files:
        with file.open("rb") as content:
            digests.append(file_digest(content, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else sha256("".join(digests).encode()).hexdigest()


def read_card(folder: Path) -> Card:
    """Raises `BrokenModelError` if the card is missing or not a card."""
    try:
        return Card.model_validate_json(card_file(folder.parent, folder.name).read_bytes())
    except (OSError, ValueError) as error:
        raise BrokenModelError(folder, f"card.json cannot be read: {error}") from error


def read_evidence(folder: Path, weights_sha256: str) -> Evidence | None:
    """What was measured of the heads of the model whose weights have that digest, None if nothing
    was. Raises `BrokenModelError`.
    """
    file = evidence_file(folder)
    if not file.exists():
        return None
    try:
        evidence = Evidence.model_validate_json(file.read_bytes())
    except (OSError, ValueError) as error:
        raise BrokenModelError(folder, f"{file.name} cannot be read: {error}") from error
    if evidence.weights_sha256 != weights_sha256:
        raise BrokenModelError(folder, f"{file.name} was measured with other weights; measure anew")
    return evidence


def lazy_transformer(folder: Path, card: Card) -> Callable[[], Transformer]:
    """Reads the weights when they are first asked for, which no class does of all models; whether
    they fit the card is seen at once. Raises `BrokenModelError`.
    """
    expected, actual = expected_shapes(card), _stored_shapes(folder)
    if actual != expected:
        mismatched = sorted(
            name for name in expected | actual if expected.get(name) != actual.get(name)
        )
        raise BrokenModelError(folder, f"weights do not fit the card: {', '.join(mismatched)}")
    return cache(partial(_read_transformer, folder, card))


def _stored_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    with _open_weights(folder) as file:
        names = file.keys()
        return {name: tuple(file.get_slice(name).get_shape()) for name in names}


def _read_transformer(folder: Path, card: Card) -> Transformer:
    """In float32."""
    with _open_weights(folder) as file:
        names = file.keys()
        tensors = {name: file.get_tensor(name).astype(np.float32) for name in names}
    return transformer_from_tensors(tensors, card)


def _open_weights(folder: Path) -> safe_open:
    try:
        return safe_open(weights_file(folder.parent, folder.name), "numpy")
    except (OSError, SafetensorError) as error:
        raise BrokenModelError(folder, f"weights.safetensors cannot be read: {error}") from error


def expected_shapes(card: Card) -> dict[str, tuple[int, ...]]:
    """The tensors that a model of this card has; matrices are (in, out)."""
    d, d_hidden = card.d_model, card.d_hidden
    shapes: dict[str, tuple[int, ...]] = {
        "tokens": (card.vocabulary, d),
        "positions": (card.max_tokens, d),
        "norm.gain": (d,),
        "norm.bias": (d,),
        "logits_bias": (card.vocabulary,),
    }
    for index in range(card.n_layers):
        prefix = f"layers.{index}"
        for norm in ("attention_norm", "ffn_norm"):
            shapes[f"{prefix}.{norm}.gain"] = (d,)
            shapes[f"{prefix}.{norm}.bias"] = (d,)
        for linear, d_in, d_out in (
            ("attention.qkv", d, 3 * d),
            ("attention.output", d, d),
            ("ffn_hidden", d, d_hidden),
            ("ffn_output", d_hidden, d),
        ):
            shapes[f"{prefix}.{linear}.weight"] = (d_in, d_out)
            shapes[f"{prefix}.{linear}.bias"] = (d_out,)
    return shapes


def transformer_from_tensors(tensors: Mapping[str, Matrix], card: Card) -> Transformer:
    """Puts named tensors in their places."""

    def norm(name: str) -> LayerNorm:
        return LayerNorm(tensors[f"{name}.gain"], tensors[f"{name}.bias"])

    def linear(name: str) -> Linear:
        return Linear(tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    def layer(index: int) -> Layer:
        prefix = f"layers.{index}"
        qkv, output = linear(f"{prefix}.attention.qkv"), linear(f"{prefix}.attention.output")
        return Layer(
            norm(f"{prefix}.attention_norm"),
            AttentionWeights(
                card.n_heads,
                qkv.weight,
                tensors[f"{prefix}.attention.qkv.bias"],
                output.weight,
                tensors[f"{prefix}.attention.output.bias"],
            ),
            norm(f"{prefix}.ffn_norm"),
            linear(f"{prefix}.ffn_hidden"),
            linear(f"{prefix}.ffn_output"),
        )

    return Transformer(
        tensors["tokens"],
        tensors["positions"],
        tuple(layer(index) for index in range(card.n_layers)),
        norm("norm"),
        LMHead(tensors["tokens"], tensors["logits_bias"]),
    )
