"""Every model that can be asked, by name."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from app.attention.intervene import NONE, Intervention
from app.attention.transformer import Pass, Transformer, forward, random_twin
from app.models.card import Card
from app.models.evidence import Evidence
from app.models.family import (
    FAMILY,
    digest,
    read_card,
    read_evidence,
    read_transformer,
    tokenizer_file,
    weights_file,
)
from app.models.seeds import SeedRuns, read_seeds
from app.models.tokens import Sentence, SentenceTokenizer


def named(names: Sequence[str]) -> str:
    """a, b and c"""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


class UnknownModelError(LookupError):
    def __init__(self, name: str, available: list[str]) -> None:
        self.name = name
        self.available = available
        super().__init__(f"There is no model “{name}”. There are {named(available)}.")


TWIN_SEED = 0

SOURCES = ("trained", "random")
"""In the order in which models are listed."""


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A card, and the weights behind it; those of a twin are drawn when they are first needed.

    `folder` holds the files of a trained model, and for a twin those of the model it is a twin of.
    `evidence` is what was measured of its heads, None if nothing was.
    """

    card: Card
    folder: Path
    tokenizer: SentenceTokenizer
    stored: Transformer
    evidence: Evidence | None = None

    def __repr__(self) -> str:
        return f"<Model {self.card.id}>"

    @cached_property
    def transformer(self) -> Transformer:
        seed = self.card.random_seed
        return self.stored if seed is None else random_twin(self.stored, seed)

    @cached_property
    def weights_sha256(self) -> str:
        """Digest of the file behind the weights; a twin has that of the model it is a twin of."""
        return digest(weights_file(self.folder.parent, self.folder.name))

    def twin(self, seed: int = TWIN_SEED) -> "Model":
        """The same shape, tokenizer and folder with untrained weights."""
        return Model(self.card.twin(seed), self.folder, self.tokenizer, self.stored)

    def read(
        self,
        sentence: Sentence,
        *,
        last_layer: int | None = None,
        intervention: Intervention = NONE,
    ) -> Pass:
        """The model's pass over a sentence. Raises `ValueError` if it is blank or too long."""
        return forward(
            self.transformer, sentence.ids, last_layer=last_layer, intervention=intervention
        )


class Registry:
    """Models by id: the trained ones first, each source in the order of its number of heads.

    `seeds` is the record of runs from several seeds, None if there is none.
    """

    def __init__(self, models: Iterable[Model], seeds: SeedRuns | None = None) -> None:
        self.seeds = seeds

        def place(model: Model) -> tuple[int, int, str]:
            return SOURCES.index(model.card.source), model.card.n_heads, model.card.id

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
        """The model of that source with as many heads, None if there is none."""
        n_heads = model.card.n_heads
        return next((each for each in self.of_source(source) if each.card.n_heads == n_heads), None)

    def __contains__(self, name: object) -> bool:
        return name in self._models

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())


def shipped_family(family: Path = FAMILY) -> Registry:
    """The models that come with Headwise, each with its untrained twin.

    Raises `BrokenModelError` for a damaged one.
    """
    tokenizer = SentenceTokenizer(tokenizer_file(family))
    folders = sorted(file.parent for file in family.glob("*/card.json"))
    cards = [(folder, read_card(folder)) for folder in folders]
    trained = [
        Model(card, folder, tokenizer, read_transformer(folder, card), read_evidence(folder))
        for folder, card in cards
    ]
    twins = [model.twin() for model in trained]
    return Registry([*trained, *twins], read_seeds(family))
