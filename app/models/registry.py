"""Every model that can be asked, by name."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.attention.intervene import NONE, Intervention
from app.attention.transformer import Pass, Transformer, forward
from app.models.card import Card
from app.models.family import FAMILY, read_card, read_transformer, tokenizer_file
from app.models.tokens import Sentence, SentenceTokenizer


def named(names: Sequence[str]) -> str:
    """a, b and c"""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


class UnknownModelError(LookupError):
    def __init__(self, name: str, available: list[str]) -> None:
        self.name = name
        self.available = available
        super().__init__(f"There is no model “{name}”. There are {named(available)}.")


@dataclass(frozen=True, eq=False)
class Model:
    """A card, and the weights behind it."""

    card: Card
    folder: Path
    tokenizer: SentenceTokenizer
    transformer: Transformer

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
    """Models by id, in the order of their number of heads."""

    def __init__(self, models: Iterable[Model]) -> None:
        ordered = sorted(models, key=lambda model: (model.card.n_heads, model.card.id))
        self._models = {model.card.id: model for model in ordered}

    @property
    def ids(self) -> list[str]:
        return list(self._models)

    def __getitem__(self, name: str) -> Model:
        """Raises `UnknownModelError`, which names the models there are."""
        if name not in self._models:
            raise UnknownModelError(name, self.ids)
        return self._models[name]

    def __contains__(self, name: object) -> bool:
        return name in self._models

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())


def shipped_family(family: Path = FAMILY) -> Registry:
    """The models that come with Headwise. Raises `BrokenModelError` for a damaged one."""
    tokenizer = SentenceTokenizer(tokenizer_file(family))
    folders = sorted(file.parent for file in family.glob("*/card.json"))
    cards = [(folder, read_card(folder)) for folder in folders]
    return Registry(
        Model(card, folder, tokenizer, read_transformer(folder, card)) for folder, card in cards
    )
