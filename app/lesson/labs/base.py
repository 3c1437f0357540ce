"""What every lab is given."""

from dataclasses import dataclass, field, fields, replace
from typing import Any, NewType

from pydantic import BaseModel, ConfigDict

from app.attention import Intervention, Trace, forward
from app.attention.contrast import with_shared_keys
from app.attention.weights import Matrix
from app.lesson.shuffle import shuffled
from app.models import Model, Registry, Sentence


@dataclass(frozen=True)
class Controls:
    """What some labs can be told beyond sentence, model, layer, head and word.

    causal: a query reads only itself and what stands before it.
    unscaled: scores are not divided by √d_head.
    weighted: maps show weights times the length of what the key writes.
    shuffled: the words of the sentence change places.
    off: heads whose output is zeroed, as (layer, head).
    groups: K/V projections are averaged into so many groups of heads; 0 leaves them as trained.
    cell: the (query, key) tokens whose weight is explained.
    minus: the (model, head) whose map is taken off that of the chosen head.
    lines: heads are drawn as lines between words instead of maps.
    """

    causal: bool = False
    unscaled: bool = False
    weighted: bool = False
    shuffled: bool = False
    off: frozenset[tuple[int, int]] = frozenset()
    groups: int = 0
    cell: tuple[int, int] | None = None
    minus: tuple[str, int] | None = None
    lines: bool = False


CONTROLS = tuple(each.name for each in fields(Controls))

EVERYWHERE = ("cell", "minus", "lines")
"""The controls that every lab obeys."""


ModelName = NewType("ModelName", str)
"""In a lab's options: a model that must exist."""


class NoOptions(BaseModel):
    """Most labs have no options of their own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class LabView:
    """A sentence that fits the model, and what of it is chosen; all counted from 0."""

    sentence: Sentence
    model: Model
    layer: int
    head: int
    word: int
    models: Registry
    options: dict[str, Any] = field(default_factory=dict)
    controls: Controls = Controls()

    @property
    def queries(self) -> list[int]:
        """The tokens of the chosen word."""
        return [i for i, token in enumerate(self.sentence.tokens) if token.word == self.word]

    @property
    def intervention(self) -> Intervention:
        """What the controls change in a pass, but for the grouping of K and V."""
        chosen = self.controls
        return Intervention(causal=chosen.causal, heads_off=chosen.off, scaled=not chosen.unscaled)

    def trace(self, intervention: Intervention | None = None) -> Trace:
        """Every intermediate of the chosen layer, by default as the controls have it."""
        transformer = self.model.transformer
        if self.controls.groups:
            transformer = with_shared_keys(transformer, self.controls.groups)
        intervention = intervention or self.intervention
        ids = self.sentence.ids
        read = forward(transformer, ids, last_layer=self.layer, intervention=intervention)
        return read.trace(self.layer)

    def maps(self) -> Matrix:
        """What the maps of the chosen layer show, (n_heads, n, n): weights, weighted by what is
        written if the controls say so.
        """
        trace = self.trace()
        return trace.weighted_by_length if self.controls.weighted else trace.weights

    @property
    def shown(self) -> "LabView":
        """The view whose maps are drawn: of the words in another order, if that was asked."""
        if not self.controls.shuffled:
            return self
        moved = shuffled(self.sentence, self.model)
        return replace(self, sentence=moved.sentence, word=moved.order.index(self.word))

    @property
    def drawn_words(self) -> list[int]:
        """For each row of the maps that are drawn the word of the learner's own sentence."""
        if not self.controls.shuffled:
            return self.sentence.word_of
        moved = shuffled(self.sentence, self.model)
        return [moved.order[word] for word in moved.sentence.word_of]
