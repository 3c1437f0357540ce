"""A model: card, tokenizer and weights."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from app.attention.forward_pass import ForwardPass, forward
from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.random_init import untrained_copy
from app.attention.transformer import Transformer
from app.models.card import Card
from app.models.fingerprint import Fingerprint
from app.models.forward_cache import NO_FORWARD_CACHE, ForwardCache, ForwardKey
from app.models.tokenizer import Sentence, SentenceTokenizer

UNTRAINED_SEED = 0


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A model with its card and tokenizer.

    `folder` contains the model's files and `fingerprint` identifies its weights. An untrained copy
    has the folder and the fingerprint of the trained model. `forward_cache` stores forward passes.
    """

    card: Card
    folder: Path
    tokenizer: SentenceTokenizer
    trained_transformer: Transformer
    fingerprint: Fingerprint
    forward_cache: ForwardCache = NO_FORWARD_CACHE

    def __repr__(self) -> str:
        return f"<Model {self.card.id}>"

    @cached_property
    def transformer(self) -> Transformer:
        """The weights: the trained ones, or random ones if the card has a `random_seed`."""
        trained, seed = self.trained_transformer, self.card.random_seed
        return trained if seed is None else untrained_copy(trained, seed)

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the weight files; of an untrained copy, that of the trained model."""
        return self.fingerprint.sha256

    @property
    def megabytes(self) -> float:
        """Size of the weight files in MB."""
        return self.fingerprint.n_bytes / 1e6

    def untrained_copy(self, seed: int = UNTRAINED_SEED) -> "Model":
        """Return a model of the same shape and tokenizer with random weights."""
        return replace(self, card=self.card.untrained_copy(seed))

    def run(
        self,
        sentence: Sentence,
        *,
        last_layer: int | None = None,
        intervention: Intervention = NO_INTERVENTION,
        memo: dict[ForwardKey, ForwardPass] | None = None,
    ) -> ForwardPass:
        """Return a forward pass over a sentence that includes `last_layer`, or the end if None.

        A pass found in `memo` or in the model's cache is extended rather than computed again;
        `memo` then contains the result.
        Raises `ValueError` if the sentence is blank or too long.
        """
        key = self.card.id, tuple(sentence.ids), intervention
        memo = {} if memo is None else memo
        cached = memo.get(key) or self.forward_cache.get(key)
        if cached is None:
            forward_pass = forward(
                self.transformer, sentence.ids, last_layer=last_layer, intervention=intervention
            )
        else:
            forward_pass = cached.extend(last_layer)
        memo[key] = forward_pass
        if forward_pass is not cached:
            self.forward_cache.put(key, forward_pass)
        return forward_pass
