"""A folder as a model, and many folders as those that can be read and those that cannot."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.attention.transformer import Transformer
from app.models.builtin import origin_of, read_evidence
from app.models.card import Card
from app.models.checkpoints.architecture import Family, Spec
from app.models.checkpoints.architectures.bert import BERT
from app.models.checkpoints.architectures.distilbert import DISTILBERT
from app.models.checkpoints.architectures.gpt2 import GPT2
from app.models.checkpoints.architectures.llama import LLAMA
from app.models.checkpoints.architectures.roberta import ROBERTA
from app.models.checkpoints.builder import assembled
from app.models.checkpoints.config import Config
from app.models.checkpoints.errors import CheckpointError, refused
from app.models.checkpoints.safetensors_reader import INDEX, PICKLES, Tensors
from app.models.forward_cache import NOTHING_KEPT, Passes
from app.models.registry import Model
from app.models.tokenizer import SentenceTokenizer

FAMILIES = (BERT, ROBERTA, DISTILBERT, GPT2, LLAMA)

LONGEST = 128
"""At most so many tokens are read of a sentence, whatever a model could: a map of more has no cells
that anyone could tell apart."""

TOKENIZER = "tokenizer.json"

TRACES = ("config.json", "*.safetensors", INDEX, *PICKLES)

PROBE = "The cat sat, 1 2. \ue000 雪 😀"
"""What every tokenizer must be able to read: words, signs, and what no vocabulary has."""

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass
class Checkpoints:
    """Those that could be read, and for each of the others why not."""

    models: list[Model] = field(default_factory=list)
    refusals: list[CheckpointError] = field(default_factory=list)


def read_checkpoints(
    paths: Iterable[Path], taken: Collection[str] = (), passes: Passes = NOTHING_KEPT
) -> Checkpoints:
    """Every checkpoint at or directly under `paths`; one that is refused takes no other down.

    `taken` are the names of models that are there already.
    """
    found, names = Checkpoints(), set(taken)
    inside: list[Path] = []
    for path in paths:
        try:
            inside += folders(path)
        except (OSError, ValueError) as error:
            found.refusals.append(refused(path, f"cannot be looked into: {error}"))
    for folder in inside:
        try:
            model = read_checkpoint(folder, passes)
            if model.card.id in names:
                raise refused(folder, f"another model is called {model.card.id}; rename the folder")
        except CheckpointError as error:
            found.refusals.append(error)
        except Exception as error:
            found.refusals.append(refused(folder, f"cannot be loaded: {error!r}"))
        else:
            names.add(model.card.id)
            found.models.append(model)
    return found


def folders(path: Path) -> Iterator[Path]:
    """The folder itself, or those in it that hold any file of a checkpoint."""
    if is_checkpoint(path) or not path.is_dir():
        yield path
        return
    inner = [each for each in sorted(path.iterdir()) if is_checkpoint(each)]
    yield from inner or [path]


def is_checkpoint(path: Path) -> bool:
    """Whether it is meant to be one: something is there of what a checkpoint is made of."""
    return path.is_dir() and any(any(path.glob(pattern)) for pattern in TRACES)


def read_checkpoint(
    folder: Path, passes: Passes = NOTHING_KEPT, *, with_evidence: bool = True
) -> Model:
    """The model in a folder, its weights in float32; without what was measured of it where that is
    to be measured anew. Raises `CheckpointError`.
    """
    try:
        if not folder.is_dir():
            raise CheckpointError("there is no such folder")
        config = Config.read(folder / "config.json")
        family = family_of(config)
        spec = family.spec(config)
        tensors = Tensors(folder)
        transformer = assembled(family, spec, tensors, LONGEST)
        tokenizer = read_tokenizer(folder, spec)
        card = card_of(name_of(folder), family, spec, transformer, tokenizer)
        card = card.model_copy(update={"parameters": tensors.n_read})
        origin = origin_of(tensors.files)
        model = Model(card, folder, tokenizer, lambda: transformer, origin, passes=passes)
        if not with_evidence:
            return model
        return model.with_evidence(read_evidence(folder, origin.sha256))
    except CheckpointError as error:
        raise refused(folder, error) from error
    except (OSError, ValueError) as error:  # what others find wrong with a file
        raise refused(folder, error) from error


def family_of(config: Config) -> Family:
    kind = config.get("model_type")
    for family in FAMILIES:
        if kind in family.model_types:
            config.refuse_if(
                config.get("quantization_config"), "its weights are quantised, which is not read"
            )
            return family
    known = ", ".join(name for family in FAMILIES for name in family.model_types)
    raise CheckpointError(f"its model_type is {str(kind)[:60]!r}; read are {known}")


def read_tokenizer(folder: Path, spec: Spec) -> SentenceTokenizer:
    if not (folder / TOKENIZER).is_file():
        raise CheckpointError(
            f"{TOKENIZER} is missing; transformers writes it:"
            " AutoTokenizer.from_pretrained(folder).save_pretrained(folder)"
        )
    tokenizer = SentenceTokenizer(folder / TOKENIZER, specials=True)
    if tokenizer.n_ids > spec.vocabulary:
        raise CheckpointError(
            f"{TOKENIZER} has tokens up to {tokenizer.n_ids - 1}, beyond the {spec.vocabulary} that"
            " the weights know"
        )
    check_reading(tokenizer, spec)
    return tokenizer


def check_reading(tokenizer: SentenceTokenizer, spec: Spec) -> None:
    """Raises `CheckpointError` for a tokenizer that fails at a sentence or loses its order; what it
    adds around one may be beyond its own vocabulary.
    """
    sentence = tokenizer.sentence(PROBE)
    starts = [sentence.tokens[place].start for place in sentence.plain]
    if not starts or starts != sorted(starts):
        raise CheckpointError(f"{TOKENIZER} does not read a sentence from its start to its end")
    if max(sentence.ids) >= spec.vocabulary:
        raise CheckpointError(
            f"{TOKENIZER} adds the token {max(sentence.ids)}, beyond the {spec.vocabulary} that"
            " the weights know"
        )


def name_of(folder: Path) -> str:
    """A folder's name as addresses can hold it; of a snapshot in a hub's cache its model's."""
    name = folder.resolve().name if folder.name in ("", ".", "..") else folder.name
    if folder.parent.name == "snapshots":
        name = folder.parent.parent.name.rpartition("--")[2]
    return _NOT_IN_A_NAME.sub("-", name).strip("-.") or "checkpoint"


def card_of(
    name: str, family: Family, spec: Spec, model: Transformer, tokenizer: SentenceTokenizer
) -> Card:
    """What is known of a model but for how many parameters it has."""
    guesses = "next" if spec.causal else "hidden"
    can_guess = model.lm_head is not None and (spec.causal or tokenizer.mask is not None)
    return Card(
        id=name,
        source="checkpoint",
        family=family.title,
        n_layers=spec.n_layers,
        n_heads=spec.n_heads,
        n_kv_heads=spec.n_kv_heads,
        d_model=spec.d_model,
        d_head=spec.d_head,
        d_hidden=spec.d_hidden,
        max_tokens=model.max_tokens,
        vocabulary=spec.vocabulary,
        parameters=0,
        guesses=guesses if can_guess else "nothing",
        causal=spec.causal,
        has_turns=spec.rotary_base is not None,
        has_specials=bool(tokenizer.sentence("a").n_specials),
    )
