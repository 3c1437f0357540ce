"""A folder as a model, and many folders as those that can be read and those that cannot."""

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
from app.models.checkpoints.safetensors_reader import INDEX_FILE, PICKLE_PATTERNS, SafetensorsReader
from app.models.fingerprint import fingerprint_of
from app.models.forward_cache import NO_CACHE, ForwardCache
from app.models.model import Model
from app.models.tokenizer import SentenceTokenizer

ARCHITECTURES = (BERT, ROBERTA, DISTILBERT, GPT2, LLAMA)

MAX_TOKENS = 128
"""At most so many tokens are read of a sentence, whatever a model could: a map of more has no cells
that anyone could tell apart."""

TOKENIZER_FILE = "tokenizer.json"

CHECKPOINT_FILES = ("config.json", "*.safetensors", INDEX_FILE, *PICKLE_PATTERNS)

PROBE_TEXT = "The cat sat, 1 2. \ue000 雪 😀"
"""What every tokenizer must be able to read: words, signs, and what no vocabulary has."""

_UNSAFE_IN_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass
class Checkpoints:
    """Those that could be read, and for each of the others why not."""

    models: list[Model] = field(default_factory=list)
    errors: list[CheckpointError] = field(default_factory=list)


def read_checkpoints(
    paths: Iterable[Path], taken_ids: Collection[str] = (), forward_cache: ForwardCache = NO_CACHE
) -> Checkpoints:
    """Every checkpoint at or directly under `paths`; one that is refused takes no other down.

    `taken_ids` are the names of models that are there already.
    """
    result, ids = Checkpoints(), set(taken_ids)
    folders: list[Path] = []
    for path in paths:
        try:
            folders += checkpoint_folders(path)
        except (OSError, ValueError) as error:
            result.errors.append(checkpoint_error(path, f"cannot be looked into: {error}"))
    for folder in folders:
        try:
            model = read_checkpoint(folder, forward_cache)
            if model.card.id in ids:
                raise checkpoint_error(
                    folder, f"another model is called {model.card.id}; rename the folder"
                )
        except CheckpointError as error:
            result.errors.append(error)
        except Exception as error:
            result.errors.append(checkpoint_error(folder, f"cannot be loaded: {error!r}"))
        else:
            ids.add(model.card.id)
            result.models.append(model)
    return result


def checkpoint_folders(path: Path) -> Iterator[Path]:
    """The folder itself, or those in it that hold any file of a checkpoint."""
    if is_checkpoint(path) or not path.is_dir():
        yield path
        return
    inner = [each for each in sorted(path.iterdir()) if is_checkpoint(each)]
    yield from inner or [path]


def is_checkpoint(path: Path) -> bool:
    """Whether it is meant to be one: something is there of what a checkpoint is made of."""
    return path.is_dir() and any(any(path.glob(pattern)) for pattern in CHECKPOINT_FILES)


def read_checkpoint(folder: Path, forward_cache: ForwardCache = NO_CACHE) -> Model:
    """Read the model in a folder, its weights in float32. Raises `CheckpointError`."""
    try:
        if not folder.is_dir():
            raise CheckpointError("there is no such folder")
        config = Config.read(folder / "config.json")
        architecture = architecture_of(config)
        spec = architecture.read_spec(config)
        tensors = SafetensorsReader(folder)
        transformer = build_transformer(architecture, spec, tensors, MAX_TOKENS)
        tokenizer = read_tokenizer(folder, spec)
        card = build_card(model_id(folder), architecture, spec, transformer, tokenizer)
        card = card.model_copy(update={"parameters": tensors.n_parameters})
        fingerprint = fingerprint_of(tensors.files)
        return Model(card, folder, tokenizer, lambda: transformer, fingerprint, forward_cache)
    except (OSError, ValueError) as error:  # CheckpointError, and errors of other libraries
        raise checkpoint_error(folder, error) from error


def architecture_of(config: Config) -> Architecture:
    model_type = config.get("model_type")
    for architecture in ARCHITECTURES:
        if model_type in architecture.model_types:
            config.reject_if(
                config.get("quantization_config"), "its weights are quantised, which is not read"
            )
            return architecture
    known = ", ".join(name for family in ARCHITECTURES for name in family.model_types)
    raise CheckpointError(f"its model_type is {str(model_type)[:60]!r}; read are {known}")


def read_tokenizer(folder: Path, spec: Spec) -> SentenceTokenizer:
    if not (folder / TOKENIZER_FILE).is_file():
        raise CheckpointError(
            f"{TOKENIZER_FILE} is missing; transformers writes it:"
            " AutoTokenizer.from_pretrained(folder).save_pretrained(folder)"
        )
    tokenizer = SentenceTokenizer(folder / TOKENIZER_FILE, add_special_tokens=True)
    if tokenizer.vocabulary_size > spec.vocabulary:
        raise CheckpointError(
            f"{TOKENIZER_FILE} has tokens up to {tokenizer.vocabulary_size - 1}, beyond the"
            f" {spec.vocabulary} that the weights know"
        )
    check_tokenizer(tokenizer, spec)
    return tokenizer


def check_tokenizer(tokenizer: SentenceTokenizer, spec: Spec) -> None:
    """Raises `CheckpointError` for a tokenizer that fails at a sentence or loses its order; what it
    adds around one may be beyond its own vocabulary.
    """
    sentence = tokenizer.sentence(PROBE_TEXT)
    starts = [sentence.tokens[place].start for place in sentence.content_indices]
    if not starts or starts != sorted(starts):
        raise CheckpointError(
            f"{TOKENIZER_FILE} does not read a sentence from its start to its end"
        )
    if max(sentence.ids) >= spec.vocabulary:
        raise CheckpointError(
            f"{TOKENIZER_FILE} adds the token {max(sentence.ids)}, beyond the"
            f" {spec.vocabulary} that the weights know"
        )


def model_id(folder: Path) -> str:
    """A folder's name as addresses can hold it; of a snapshot in a hub's cache its model's."""
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
    """What is known of a model but for how many parameters it has."""
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
