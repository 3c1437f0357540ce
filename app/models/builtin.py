"""The models that ship with Headwise: where their files lie and how they are read."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from app.attention.transformer import Layer, LayerNorm, Linear, LMHead, Transformer
from app.attention.weights import AttentionWeights, Matrix
from app.models.card import Card
from app.models.fingerprint import fingerprint_of
from app.models.forward_cache import NO_CACHE, ForwardCache
from app.models.model import Model
from app.models.registry import Registry
from app.models.tokenizer import SentenceTokenizer

BUILTIN_FOLDER = Path(__file__).parent / "shipped"


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


def read_card(folder: Path) -> Card:
    """Raises `BrokenModelError` if the card is missing or not a card."""
    try:
        return Card.model_validate_json(card_file(folder.parent, folder.name).read_bytes())
    except (OSError, ValueError) as error:
        raise BrokenModelError(folder, f"card.json cannot be read: {error}") from error


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


def load_builtin_models(
    root: Path = BUILTIN_FOLDER, forward_cache: ForwardCache = NO_CACHE
) -> Registry:
    """Load the models that ship with Headwise, each with an untrained copy.

    Raises `BrokenModelError` if the files of one are damaged.
    """
    tokenizer = SentenceTokenizer(tokenizer_file(root))
    folders = sorted(file.parent for file in root.glob("*/card.json"))
    trained = [_load_builtin_model(folder, tokenizer, forward_cache) for folder in folders]
    return Registry([*trained, *(model.untrained_copy() for model in trained)])


def _load_builtin_model(
    folder: Path, tokenizer: SentenceTokenizer, forward_cache: ForwardCache
) -> Model:
    card = read_card(folder)
    load_weights = lazy_transformer(folder, card)
    fingerprint = fingerprint_of([weights_file(folder.parent, folder.name)])
    return Model(card, folder, tokenizer, load_weights, fingerprint, forward_cache)
