"""Every model that can be asked, by name."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.transformer import ForwardPass, Transformer, forward, untrained_copy
from app.evaluation.report import Evidence
from app.evaluation.seed_runs import SeedRuns, read_seed_runs
from app.models.builtin import (
    BUILTIN_FOLDER,
    BrokenModelError,
    Fingerprint,
    fingerprint_of,
    lazy_transformer,
    read_card,
    read_evidence,
    tokenizer_file,
    weights_file,
)
from app.models.card import Card
from app.models.forward_cache import NO_CACHE, ForwardCache
from app.models.tokenizer import Sentence, SentenceTokenizer


def join_with_and(names: Sequence[str]) -> str:
    """a, b and c"""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


class UnknownModelError(LookupError):
    def __init__(self, name: str, available: list[str]) -> None:
        self.name = name
        self.available = available
        super().__init__(f"There is no model “{name}”. There are {join_with_and(available)}.")


UNTRAINED_SEED = 0

MODEL_KINDS = ("trained", "random", "checkpoint")
"""In the order in which models are listed."""


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A card, and the weights behind it, which are read when they are first needed, or drawn if it
    is a twin.

    `folder` holds the files of a trained model, and for a twin those of the model it is a twin of;
    `fingerprint` is what its weights were read from. `evidence` is what was measured of its heads,
    None if nothing was; `forward_cache` keeps what was asked for.
    """

    card: Card
    folder: Path
    tokenizer: SentenceTokenizer
    load_weights: Callable[[], Transformer]
    fingerprint: Fingerprint
    evidence: Evidence | None = None
    forward_cache: ForwardCache = NO_CACHE

    def __repr__(self) -> str:
        return f"<Model {self.card.id}>"

    @cached_property
    def transformer(self) -> Transformer:
        seed = self.card.random_seed
        return self.load_weights() if seed is None else untrained_copy(self.load_weights(), seed)

    @property
    def weights_sha256(self) -> str:
        """Digest of the files of weights; a twin has that of the model it is a twin of."""
        return self.fingerprint.sha256

    @property
    def megabytes(self) -> float:
        """Size of the files of weights that the model was read from."""
        return self.fingerprint.n_bytes / 1e6

    def untrained_copy(self, seed: int = UNTRAINED_SEED) -> "Model":
        """The same shape, tokenizer and files with untrained weights."""
        return replace(self, card=self.card.untrained_copy(seed), evidence=None)

    def with_evidence(self, evidence: Evidence | None) -> "Model":
        """Raises `ValueError` for a record that is not of every head of this model."""
        if evidence and not evidence.covers(self.card.n_layers, self.card.n_heads):
            raise BrokenModelError(
                self.folder, "heads.json does not tell of every head of this model; measure anew"
            )
        return replace(self, evidence=evidence)

    def run(
        self,
        sentence: Sentence,
        *,
        last_layer: int | None = None,
        intervention: Intervention = NO_INTERVENTION,
        memo: ForwardCache = NO_CACHE,
    ) -> ForwardPass:
        """Return a forward pass over a sentence that includes `last_layer`, or the end if None.

        A pass found in `memo` or in the model's cache is extended rather than computed again.
        Raises `ValueError` if the sentence is blank or too long.
        """
        key = self.card.id, tuple(sentence.ids), intervention
        cached = memo.get(key) or self.forward_cache.get(key)
        if cached is None:
            forward_pass = forward(
                self.transformer, sentence.ids, last_layer=last_layer, intervention=intervention
            )
        else:
            forward_pass = cached.extend(last_layer)
        for cache in (memo, self.forward_cache):
            cache.put(key, forward_pass)
        return forward_pass


class Registry:
    """Models by id: the trained ones first, their twins, then checkpoints as they came; the first
    two in the order of their number of heads.

    `seed_runs` is the record of runs from several seeds, None if there is none.
    """

    def __init__(self, models: Iterable[Model], seed_runs: SeedRuns | None = None) -> None:
        self.seed_runs = seed_runs

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
        """Raises `UnknownModelError`, which names the models there are."""
        if name not in self._models:
            raise UnknownModelError(name, self.ids)
        return self._models[name]

    def of_kind(self, kind: str) -> list[Model]:
        return [model for model in self if model.card.kind == kind]

    def nearest_of_kind(self, model: Model, kind: str) -> Model | None:
        """The model of that source with as many heads or the nearest number of them, None if the
        source has none.
        """

        def distance(other: Model) -> int:
            return abs(other.card.n_heads - model.card.n_heads)

        return min(self.of_kind(kind), key=distance, default=None)

    def model_for_prediction(self, requested: str | None, chosen: Model) -> Model:
        """The model that a question is about: the one that is named for it, as long as it reads a
        sentence in the same tokens as the chosen one, which is asked otherwise.
        """
        model = chosen if requested is None else self[requested]
        return model if model.tokenizer.same_tokens_as(chosen.tokenizer) else chosen

    def with_same_tokenizer(self, model: Model) -> list[Model]:
        """The models whose maps are of the same tokens as this one's."""
        return [each for each in self if each.tokenizer.same_tokens_as(model.tokenizer)]

    def with_checkpoints(self, checkpoints: Iterable[Model]) -> "Registry":
        return Registry([*self, *checkpoints], self.seed_runs)

    def __contains__(self, name: object) -> bool:
        return name in self._models

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())


def load_builtin_models(
    root: Path = BUILTIN_FOLDER, forward_cache: ForwardCache = NO_CACHE
) -> Registry:
    """The models that come with Headwise, each with its untrained twin.

    Raises `BrokenModelError` for a damaged one.
    """
    tokenizer = SentenceTokenizer(tokenizer_file(root))
    folders = sorted(file.parent for file in root.glob("*/card.json"))
    trained = [_load_builtin_model(folder, tokenizer, forward_cache) for folder in folders]
    untrained = [model.untrained_copy() for model in trained]
    return Registry([*trained, *untrained], read_seed_runs(root))


def _load_builtin_model(
    folder: Path, tokenizer: SentenceTokenizer, forward_cache: ForwardCache
) -> Model:
    card = read_card(folder)
    load_weights = lazy_transformer(folder, card)
    fingerprint = fingerprint_of([weights_file(folder.parent, folder.name)])
    model = Model(card, folder, tokenizer, load_weights, fingerprint, forward_cache=forward_cache)
    return model.with_evidence(read_evidence(folder, fingerprint.sha256))
