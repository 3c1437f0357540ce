"""Every model that can be asked, by name."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.transformer import ForwardPass, Transformer, forward, untrained_copy
from app.evaluation.report import Evidence
from app.evaluation.seed_runs import SeedRuns, read_seeds
from app.models.builtin import (
    FAMILY,
    BrokenModelError,
    Origin,
    origin_of,
    read_card,
    read_evidence,
    stored_transformer,
    tokenizer_file,
    weights_file,
)
from app.models.card import Card
from app.models.forward_cache import NOTHING_KEPT, Passes
from app.models.tokenizer import Sentence, SentenceTokenizer


def named(names: Sequence[str]) -> str:
    """a, b and c"""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


class UnknownModelError(LookupError):
    def __init__(self, name: str, available: list[str]) -> None:
        self.name = name
        self.available = available
        super().__init__(f"There is no model “{name}”. There are {named(available)}.")


TWIN_SEED = 0

SOURCES = ("trained", "random", "checkpoint")
"""In the order in which models are listed."""


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A card, and the weights behind it, which are read when they are first needed, or drawn if it
    is a twin.

    `folder` holds the files of a trained model, and for a twin those of the model it is a twin of;
    `origin` is what its weights were read from. `evidence` is what was measured of its heads, None
    if nothing was; `passes` keeps what was asked for.
    """

    card: Card
    folder: Path
    tokenizer: SentenceTokenizer
    stored: Callable[[], Transformer]
    origin: Origin
    evidence: Evidence | None = None
    passes: Passes = NOTHING_KEPT

    def __repr__(self) -> str:
        return f"<Model {self.card.id}>"

    @cached_property
    def transformer(self) -> Transformer:
        seed = self.card.random_seed
        return self.stored() if seed is None else untrained_copy(self.stored(), seed)

    @property
    def weights_sha256(self) -> str:
        """Digest of the files of weights; a twin has that of the model it is a twin of."""
        return self.origin.sha256

    @property
    def megabytes(self) -> float:
        """Size of the files of weights that the model was read from."""
        return self.origin.n_bytes / 1e6

    def twin(self, seed: int = TWIN_SEED) -> "Model":
        """The same shape, tokenizer and files with untrained weights."""
        return replace(self, card=self.card.twin(seed), evidence=None)

    def with_evidence(self, evidence: Evidence | None) -> "Model":
        """Raises `ValueError` for a record that is not of every head of this model."""
        if evidence and not evidence.is_of(self.card.n_layers, self.card.n_heads):
            raise BrokenModelError(
                self.folder, "heads.json does not tell of every head of this model; measure anew"
            )
        return replace(self, evidence=evidence)

    def read(
        self,
        sentence: Sentence,
        *,
        last_layer: int | None = None,
        intervention: Intervention = NO_INTERVENTION,
    ) -> ForwardPass:
        """The model's pass over a sentence, down to `last_layer` at least, or to its end.

        Raises `ValueError` if the sentence is blank or too long.
        """
        key = self.card.id, tuple(sentence.ids), intervention
        known = self.passes.get(key, last_layer)
        if known is None:
            known = forward(
                self.transformer, sentence.ids, last_layer=last_layer, intervention=intervention
            )
            self.passes.put(key, known)
        return known


class Registry:
    """Models by id: the trained ones first, their twins, then checkpoints as they came; the first
    two in the order of their number of heads.

    `seeds` is the record of runs from several seeds, None if there is none.
    """

    def __init__(self, models: Iterable[Model], seeds: SeedRuns | None = None) -> None:
        self.seeds = seeds

        def place(model: Model) -> tuple[int, int, str]:
            source = SOURCES.index(model.card.source)
            if model.card.source == "checkpoint":
                return source, 0, ""
            return source, model.card.n_heads, model.card.id

        self._models = {model.card.id: model for model in sorted(models, key=place)}

    @property
    def ids(self) -> list[str]:
        return list(self._models)

    def __getitem__(self, name: str) -> Model:
        """Raises `UnknownModelError`, which names the models there are."""
        if name not in self._models:
            raise UnknownModelError(name, self.ids)
        return self._models[name]

    def of_source(self, source: str) -> list[Model]:
        return [model for model in self if model.card.source == source]

    def like(self, model: Model, source: str) -> Model | None:
        """The model of that source with as many heads or the nearest number of them, None if the
        source has none.
        """

        def distance(other: Model) -> int:
            return abs(other.card.n_heads - model.card.n_heads)

        return min(self.of_source(source), key=distance, default=None)

    def asked(self, named: str | None, chosen: Model) -> Model:
        """The model that a question is about: the one that is named for it, as long as it reads a
        sentence in the same tokens as the chosen one, which is asked otherwise.
        """
        other = chosen if named is None else self[named]
        return other if other.tokenizer.reads_like(chosen.tokenizer) else chosen

    def that_read_like(self, model: Model) -> list[Model]:
        """The models whose maps are of the same tokens as this one's."""
        return [each for each in self if each.tokenizer.reads_like(model.tokenizer)]

    def with_checkpoints(self, checkpoints: Iterable[Model]) -> "Registry":
        return Registry([*self, *checkpoints], self.seeds)

    def __contains__(self, name: object) -> bool:
        return name in self._models

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())


def shipped_family(family: Path = FAMILY, passes: Passes = NOTHING_KEPT) -> Registry:
    """The models that come with Headwise, each with its untrained twin.

    Raises `BrokenModelError` for a damaged one.
    """
    tokenizer = SentenceTokenizer(tokenizer_file(family))
    folders = sorted(file.parent for file in family.glob("*/card.json"))
    trained = [_shipped(folder, tokenizer, passes) for folder in folders]
    twins = [model.twin() for model in trained]
    return Registry([*trained, *twins], read_seeds(family))


def _shipped(folder: Path, tokenizer: SentenceTokenizer, passes: Passes) -> Model:
    card = read_card(folder)
    stored = stored_transformer(folder, card)
    origin = origin_of([weights_file(folder.parent, folder.name)])
    model = Model(card, folder, tokenizer, stored, origin, passes=passes)
    return model.with_evidence(read_evidence(folder, origin.sha256))
