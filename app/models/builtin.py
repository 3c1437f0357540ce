"""Load the models that ship with Headwise."""

from pathlib import Path

from app.attention.transformer import Transformer
from app.models.card import Card
from app.models.checkpoints.architectures.headwise import HEADWISE
from app.models.checkpoints.builder import build_transformer
from app.models.checkpoints.config import Config
from app.models.checkpoints.errors import CheckpointError
from app.models.checkpoints.safetensors_reader import SafetensorsReader
from app.models.fingerprint import fingerprint_of
from app.models.forward_cache import NO_FORWARD_CACHE, ForwardCache
from app.models.model import Model
from app.models.registry import Registry
from app.models.tokenizer import SentenceTokenizer

BUILTIN_FOLDER = Path(__file__).parent / "shipped"


class BrokenModelError(ValueError):
    """The files of a shipped model are missing, damaged, or contradict its card."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"{folder}: {reason}")


def weights_file(root: Path, model_id: str) -> Path:
    return root / model_id / "weights.safetensors"


def card_file(root: Path, model_id: str) -> Path:
    return root / model_id / "card.json"


def tokenizer_file(root: Path) -> Path:
    return root / "tokenizer.json"


def load_builtin_models(
    root: Path = BUILTIN_FOLDER, forward_cache: ForwardCache = NO_FORWARD_CACHE
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
    transformer = read_weights(folder, card)
    fingerprint = fingerprint_of([weights_file(folder.parent, folder.name)])
    return Model(card, folder, tokenizer, transformer, fingerprint, forward_cache)


def read_card(folder: Path) -> Card:
    """Read the card of a shipped model. Raises `BrokenModelError`."""
    try:
        card = Card.model_validate_json(card_file(folder.parent, folder.name).read_bytes())
    except (OSError, ValueError) as error:
        raise BrokenModelError(folder, f"card.json cannot be read: {error}") from error
    if card.id != folder.name:
        raise BrokenModelError(folder, f"card.json describes {card.id}, a model of another folder")
    return card


def read_weights(folder: Path, card: Card) -> Transformer:
    """Read the weights of a shipped model in float32. Raises `BrokenModelError`."""
    file = weights_file(folder.parent, folder.name)
    try:
        tensors = SafetensorsReader([file])
        spec = HEADWISE.read_spec(Config(card.model_dump(), "card.json"))
        transformer = build_transformer(HEADWISE, spec, tensors, card.max_tokens)
    except CheckpointError as error:
        raise BrokenModelError(folder, f"its weights cannot be loaded: {error}") from error
    if tensors.unused():
        raise BrokenModelError(
            folder,
            f"{file.name} has a tensor {tensors.unused()[0]}, which its card does not describe",
        )
    return transformer
