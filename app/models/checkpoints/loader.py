"""Load models from folders."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.attention.transformer import Transformer
from app.models.card import Card
from app.models.checkpoints.architecture import Architecture, Spec
from app.models.checkpoints.architectures.bert import BERT
from app.models.checkpoints.architectures.distilbert import DISTILBERT
from app.models.checkpoints.architectures.gpt2 import GPT2
from app.models.checkpoints.architectures.llama import LLAMA
from app.models.checkpoints.architectures.roberta import ROBERTA
from app.models.checkpoints.builder import build_transformer
from app.models.checkpoints.config import Config
from app.models.checkpoints.errors import CheckpointError, checkpoint_error
from app.models.checkpoints.safetensors_reader import (
    INDEX_FILE,
    PICKLE_PATTERNS,
    SafetensorsReader,
    weight_files,
)
from app.models.fingerprint import fingerprint_of
from app.models.forward_cache import NO_FORWARD_CACHE, ForwardCache
from app.models.model import Model
from app.models.tokenizer import SentenceTokenizer

ARCHITECTURES = (BERT, ROBERTA, DISTILBERT, GPT2, LLAMA)

MAX_TOKENS = 128
"""Longest sentence of any checkpoint in tokens: the cells of a larger map would be too small."""

CONFIG_FILE = "config.json"
TOKENIZER_FILE = "tokenizer.json"

CHECKPOINT_FILES = (CONFIG_FILE, "*.safetensors", INDEX_FILE, *PICKLE_PATTERNS)

PROBE_TEXT = "The cat sat, 1 2. \ue000 雪 😀"
"""Text that every tokenizer must split: words, digits, and characters outside vocabularies."""

_UNSAFE_IN_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass
class Checkpoints:
    """The checkpoints that could be read, and an error for each of the others."""

    models: list[Model] = field(default_factory=list)
    errors: list[CheckpointError] = field(default_factory=list)


def read_checkpoints(
    paths: Iterable[Path],
    taken_ids: Collection[str] = (),
    forward_cache: ForwardCache = NO_FORWARD_CACHE,
) -> Checkpoints:
    """Read every checkpoint at or directly inside `paths`.

    An error in one does not affect the others. A model whose id is in `taken_ids` is refused.
    """
    result, ids = Checkpoints(), set(taken_ids)
    folders: list[Path] = []
    for path in paths:
        try:
            folders += checkpoint_folders(path)
        except (OSError, ValueError) as error:
            result.errors.append(checkpoint_error(path, f"it cannot be listed: {error}"))
    for folder in folders:
        try:
            model = read_checkpoint(folder, forward_cache)
            if model.card.id in ids:
                raise checkpoint_error(
                    folder, f"there is another model {model.card.id}; rename the folder"
                )
        except CheckpointError as error:
            result.errors.append(error)
        except Exception as error:
            result.errors.append(checkpoint_error(folder, f"it cannot be loaded: {error!r}"))
        else:
            ids.add(model.card.id)
            result.models.append(model)
    return result


def checkpoint_folders(path: Path) -> Iterator[Path]:
    """Return the folder itself if it is a checkpoint or contains none, else the checkpoints."""
    if is_checkpoint(path) or not path.is_dir():
        yield path
        return
    inner = [each for each in sorted(path.iterdir()) if is_checkpoint(each)]
    yield from inner or [path]


def is_checkpoint(path: Path) -> bool:
    """Return whether a folder contains any file of a checkpoint; it may be incomplete."""
    return path.is_dir() and any(any(path.glob(pattern)) for pattern in CHECKPOINT_FILES)


def read_checkpoint(folder: Path, forward_cache: ForwardCache = NO_FORWARD_CACHE) -> Model:
    """Read the model in a folder, its weights in float32. Raises `CheckpointError`."""
    try:
        if not folder.is_dir():
            raise CheckpointError("there is no such folder")
        config = Config.read(folder / CONFIG_FILE)
        architecture = architecture_of(config)
        spec = architecture.read_spec(config)
        tensors = SafetensorsReader(weight_files(folder))
        transformer = build_transformer(architecture, spec, tensors, MAX_TOKENS)
        tokenizer = read_tokenizer(folder, spec)
        card = build_card(model_id(folder), architecture, spec, transformer, tokenizer)
        card = card.model_copy(update={"parameters": tensors.n_parameters})
        fingerprint = fingerprint_of(tensors.files)
        return Model(card, folder, tokenizer, transformer, fingerprint, forward_cache)
    except (OSError, ValueError) as error:  # CheckpointError, and errors of other libraries
        raise checkpoint_error(folder, error) from error


def architecture_of(config: Config) -> Architecture:
    """Return the architecture named by `model_type`. Raises `CheckpointError`."""
    model_type = config.get("model_type")
    for architecture in ARCHITECTURES:
        if model_type in architecture.model_types:
            config.reject_if(
                config.get("quantization_config"),
                "its weights are quantised, which is not supported",
            )
            return architecture
    supported = ", ".join(name for each in ARCHITECTURES for name in each.model_types)
    raise CheckpointError(f"its model_type is {str(model_type)[:60]!r}; supported are {supported}")


def read_tokenizer(folder: Path, spec: Spec) -> SentenceTokenizer:
    """Read the tokenizer of a checkpoint. Raises `CheckpointError`, `ValueError`."""
    if not (folder / TOKENIZER_FILE).is_file():
        raise CheckpointError(
            f"{TOKENIZER_FILE} is missing. transformers writes it:"
            " AutoTokenizer.from_pretrained(folder).save_pretrained(folder)"
        )
    tokenizer = SentenceTokenizer(folder / TOKENIZER_FILE, add_special_tokens=True)
    if tokenizer.vocabulary_size > spec.vocabulary:
        raise CheckpointError(
            f"{TOKENIZER_FILE} has tokens up to {tokenizer.vocabulary_size - 1}, but the weights"
            f" have embeddings for {spec.vocabulary}"
        )
    check_tokenizer(tokenizer, spec)
    return tokenizer


def check_tokenizer(tokenizer: SentenceTokenizer, spec: Spec) -> None:
    """Raise `CheckpointError` unless the tokens of a sentence are in order and have embeddings.

    Special tokens are checked too: a post-processor may add ids that the vocabulary lacks.
    """
    sentence = tokenizer.sentence(PROBE_TEXT)
    starts = [sentence.tokens[index].start for index in sentence.content_indices]
    if not starts or starts != sorted(starts):
        raise CheckpointError(f"{TOKENIZER_FILE} does not keep the tokens of a sentence in order")
    if max(sentence.ids) >= spec.vocabulary:
        raise CheckpointError(
            f"{TOKENIZER_FILE} adds the token {max(sentence.ids)}, but the weights have embeddings"
            f" for {spec.vocabulary}"
        )


def model_id(folder: Path) -> str:
    """Return an id that is safe in URLs: the name of the folder.

    For a snapshot in the cache of huggingface_hub, it is the name of the model.
    """
    name = folder.resolve().name if folder.name in ("", ".", "..") else folder.name
    if folder.parent.name == "snapshots":
        name = folder.parent.parent.name.rpartition("--")[2]
    return _UNSAFE_IN_NAME.sub("-", name).strip("-.") or "checkpoint"


def build_card(
    name: str,
    architecture: Architecture,
    spec: Spec,
    model: Transformer,
    tokenizer: SentenceTokenizer,
) -> Card:
    """Return the card of a checkpoint, without the number of parameters."""
    objective = "next" if spec.causal else "hidden"
    can_predict = model.lm_head is not None and (spec.causal or tokenizer.mask_token is not None)
    return Card(
        id=name,
        kind="checkpoint",
        architecture=architecture.title,
        n_layers=spec.n_layers,
        n_heads=spec.n_heads,
        stored_n_kv_heads=spec.n_kv_heads,
        d_model=spec.d_model,
        d_head=spec.d_head,
        d_hidden=spec.d_hidden,
        max_tokens=model.max_tokens,
        vocabulary=spec.vocabulary,
        parameters=0,
        predicts=objective if can_predict else "nothing",
        causal=spec.causal,
        uses_rope=spec.rope_theta is not None,
        adds_special_tokens=bool(tokenizer.sentence("a").n_special_tokens),
    )
