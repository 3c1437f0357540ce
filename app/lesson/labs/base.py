"""What every lab is given."""

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from app.attention import Intervention, Trace, forward
from app.attention.contrast import with_shared_keys
from app.attention.weights import Matrix
from app.lesson.shuffle import Shuffled, shuffled
from app.models import Model, Registry, Sentence
from app.picture import Axis, HeatmapFrame


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
    show: how heads are shown, one of `SHOWS`; the lab's own way if it is empty.
    lock: the chosen head stays in view, whatever thumbnail the pointer is over.
    """

    causal: bool = False
    unscaled: bool = False
    weighted: bool = False
    shuffled: bool = False
    off: frozenset[tuple[int, int]] = frozenset()
    groups: int = 0
    cell: tuple[int, int] | None = None
    minus: tuple[str, int] | None = None
    show: str = ""
    lock: bool = False


CONTROLS = tuple(each.name for each in fields(Controls))

EVERYWHERE = ("cell", "minus", "show", "lock")
"""The controls that every lab obeys."""

SHOWS = ("grid", "map", "lines", "strip")
"""Maps of all heads, the map of one, the same as lines between words, or what the chosen word reads
laid over the sentence, for all heads.
"""


@dataclass(frozen=True)
class LabView:
    """A sentence that fits the model, and what of it is chosen; all counted from 0.

    What is computed of it is computed once, however many parts of a page ask for it.
    """

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

    @property
    def asking(self) -> str:
        """The chosen word, as it is spelled."""
        return self.sentence.words[self.word].text

    @property
    def largest_entropy(self) -> float:
        """The entropy of a row that reads every token the same, in bits."""
        return float(np.log2(len(self.sentence.tokens)))

    @cached_property
    def axis(self) -> Axis:
        """The tokens along both sides of a map, those of the chosen word marked."""
        labels = [token.text for token in self.sentence.tokens]
        return Axis(labels, self.sentence.word_of, self.queries)

    @cached_property
    def frame(self) -> HeatmapFrame:
        """What all maps of the sentence have in common, the chosen word's rows framed."""
        return HeatmapFrame(self.axis)

    @cached_property
    def trace(self) -> Trace:
        """Every intermediate of the chosen layer, as the controls have it."""
        return self.trace_of(self.intervention)

    def trace_of(self, intervention: Intervention) -> Trace:
        """Every intermediate of the chosen layer under another intervention."""
        transformer = self.model.transformer
        if self.controls.groups:
            transformer = with_shared_keys(transformer, self.controls.groups)
        ids = self.sentence.ids
        read = forward(transformer, ids, last_layer=self.layer, intervention=intervention)
        return read.trace(self.layer)

    @cached_property
    def maps(self) -> Matrix:
        """What the maps of the chosen layer show, (n_heads, n, n): weights, weighted by what is
        written if the controls say so.
        """
        return self.trace.weighted_by_length if self.controls.weighted else self.trace.weights

    @cached_property
    def _shuffled(self) -> Shuffled:
        return shuffled(self.sentence, self.model)

    @cached_property
    def moved(self) -> "LabView":
        """The same of the words in another order."""
        word = self._shuffled.order.index(self.word)
        return replace(self, sentence=self._shuffled.sentence, word=word)

    @property
    def shown(self) -> "LabView":
        """The view whose maps are drawn: of the words in another order, if that was asked."""
        return self.moved if self.controls.shuffled else self

    @property
    def drawn_words(self) -> list[int]:
        """For each row of the maps that are drawn the word of the learner's own sentence."""
        if not self.controls.shuffled:
            return self.sentence.word_of
        return [self._shuffled.order[word] for word in self.moved.sentence.word_of]
