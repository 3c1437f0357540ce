"""All models by id."""

from collections.abc import Iterable, Iterator, Sequence

from app.models.model import Model

MODEL_KINDS = ("trained", "random", "checkpoint")
"""Kinds of models, in the order in which models are listed."""


def join_with_and(names: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


class UnknownModelError(LookupError):
    def __init__(self, name: str, available: list[str]) -> None:
        self.name = name
        self.available = available
        super().__init__(f"There is no model “{name}”. There are {join_with_and(available)}.")


class Registry:
    """Models by id: trained models, then untrained copies, then checkpoints.

    Trained models and untrained copies are sorted by number of heads; checkpoints keep their order.
    """

    def __init__(self, models: Iterable[Model]) -> None:
        def sort_key(model: Model) -> tuple[int, int, str]:
            kind_index = MODEL_KINDS.index(model.card.kind)
            if model.card.kind == "checkpoint":
                return kind_index, 0, ""
            return kind_index, model.card.n_heads, model.card.id

        self._models = {model.card.id: model for model in sorted(models, key=sort_key)}

    @property
    def ids(self) -> list[str]:
        return list(self._models)

    def __getitem__(self, name: str) -> Model:
        """Return the model of this id. Raises `UnknownModelError`."""
        if name not in self._models:
            raise UnknownModelError(name, self.ids)
        return self._models[name]

    def of_kind(self, kind: str) -> list[Model]:
        """Return the models of one of `MODEL_KINDS`."""
        return [model for model in self if model.card.kind == kind]

    def nearest_of_kind(self, model: Model, kind: str) -> Model | None:
        """Return the model of a kind whose number of heads is nearest to that of `model`.

        Returns None if there is no model of that kind.
        """

        def distance(other: Model) -> int:
            return abs(other.card.n_heads - model.card.n_heads)

        return min(self.of_kind(kind), key=distance, default=None)

    def model_for_prediction(self, requested: str | None, chosen: Model) -> Model:
        """Return the model that a prediction is computed with.

        It is the model `requested` by the step if it has the tokenizer of the chosen model, else
        the chosen model.
        """
        model = chosen if requested is None else self[requested]
        return model if model.tokenizer.same_tokens_as(chosen.tokenizer) else chosen

    def with_same_tokenizer(self, model: Model) -> list[Model]:
        """Return the models that split every text into the same tokens as `model`."""
        return [each for each in self if each.tokenizer.same_tokens_as(model.tokenizer)]

    def with_checkpoints(self, checkpoints: Iterable[Model]) -> "Registry":
        """Return a registry of these models and the checkpoints."""
        return Registry([*self, *checkpoints])

    def __contains__(self, name: object) -> bool:
        return name in self._models

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())
