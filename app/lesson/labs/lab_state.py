"""What every lab is given."""

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from app.attention import Intervention, Trace
from app.attention.metrics import select_and_renormalise, word_row
from app.attention.weights import Matrix
from app.lesson.shuffle import Shuffled, shuffled
from app.models import Model, Registry, Sentence, Token, Word
from app.picture import Axis, HeatmapLayout


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
    hide: special tokens, which the model adds by itself, are left out of maps, and the rest of each
        row is brought back to 1.
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
    hide: bool = False


CONTROLS = tuple(each.name for each in fields(Controls))

EVERYWHERE = ("cell", "minus", "show", "lock", "hide")
"""The controls that every lab obeys."""

SHOWS = ("grid", "map", "lines", "strip", "overview")
"""Maps of all heads, the map of one, the same as lines between words, what the chosen word reads
laid over the sentence, for all heads, or small maps of every head of every layer.
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

    @cached_property
    def kept(self) -> list[int]:
        """The tokens that maps show: all, or the learner's own where special ones are hidden."""
        return self.sentence.plain if self.controls.hide else list(range(len(self.sentence.tokens)))

    @cached_property
    def tokens(self) -> list[Token]:
        """Those along the sides of maps."""
        return [self.sentence.tokens[place] for place in self.kept]

    @cached_property
    def word_of(self) -> list[int]:
        """For each of them its word."""
        return [token.word for token in self.tokens]

    @cached_property
    def words(self) -> list[Word]:
        """Those that maps show, in the order of reading."""
        numbers = dict.fromkeys(self.word_of)
        return [self.sentence.words[number] for number in numbers]

    @cached_property
    def order(self) -> list[int]:
        """The numbers of these words."""
        return [word.index for word in self.words]

    @cached_property
    def spelled(self) -> list[str]:
        """These words as text."""
        return [word.text for word in self.words]

    @property
    def queries(self) -> list[int]:
        """The rows of the chosen word."""
        return [row for row, word in enumerate(self.word_of) if word == self.word]

    @property
    def asking_tokens(self) -> list[int]:
        """The tokens of the chosen word, among all that the model reads."""
        return [self.kept[row] for row in self.queries]

    @property
    def intervention(self) -> Intervention:
        """What the controls change in a pass."""
        chosen = self.controls
        return Intervention(
            causal=chosen.causal,
            ablated_heads=chosen.off,
            scaled=not chosen.unscaled,
            groups=chosen.groups,
        )

    @property
    def asking(self) -> str:
        """The chosen word, as it is spelled."""
        return self.sentence.words[self.word].text

    @property
    def largest_entropy(self) -> float:
        """The entropy of a row that reads every token the same, in bits."""
        return float(np.log2(len(self.tokens)))

    @cached_property
    def axis(self) -> Axis:
        """The tokens along both sides of a map, those of the chosen word marked."""
        return Axis([token.text for token in self.tokens], self.word_of, self.queries)

    @cached_property
    def frame(self) -> HeatmapLayout:
        """What all maps of the sentence have in common, the chosen word's rows framed."""
        return HeatmapLayout(self.axis)

    @cached_property
    def trace(self) -> Trace:
        """Every intermediate of the chosen layer, as the controls have it."""
        return self.trace_of(self.intervention)

    def trace_of(self, intervention: Intervention) -> Trace:
        """Every intermediate of the chosen layer under another intervention."""
        last = self.layer
        if self.controls.show == "overview":
            last = self.model.card.n_layers - 1  # which all are asked for in a moment
        read = self.model.read(self.sentence, last_layer=last, intervention=intervention)
        return read.trace(self.layer)

    @cached_property
    def maps(self) -> Matrix:
        """What the maps of the chosen layer show, (n_heads, n, n): weights, weighted by what is
        written if the controls say so, and without special tokens if these are hidden.
        """
        return self._maps_of(self.trace)

    @cached_property
    def all_maps(self) -> list[Matrix]:
        """The same of every layer."""
        card = self.model.card
        read = self.model.read(
            self.sentence, last_layer=card.n_layers - 1, intervention=self.intervention
        )
        return [self._maps_of(read.trace(layer)) for layer in range(card.n_layers)]

    def _maps_of(self, trace: Trace) -> Matrix:
        return self.among_shown(trace.norm_weighted if self.controls.weighted else trace.weights)

    def among_shown(self, weights: Matrix) -> Matrix:
        """Of weights (..., n, n) over all tokens what maps show: see `Controls.hide`."""
        return select_and_renormalise(weights, self.kept) if self.controls.hide else weights

    def seen(self, figures: Matrix) -> Matrix:
        """Of (..., n, n) figures over all tokens the rows and columns that maps show."""
        return figures[..., self.kept, :][..., self.kept] if self.controls.hide else figures

    @cached_property
    def read_by_word(self) -> tuple[Matrix, list[str]]:
        """What the chosen word reads in each head, (n_heads, n_words), and the words that maps
        show, both in the order of reading.
        """
        rows = word_row(self.maps, self.word_of, self.word)
        return rows[:, self.order], self.spelled

    @property
    def group(self) -> int:
        """How many heads read the same keys and values, as the controls have it."""
        card = self.model.card
        return card.n_heads // (self.controls.groups or card.n_sets)

    @property
    def from_inputs(self) -> bool:
        """Whether an archive of this view begins with the layer's inputs, not with tokens."""
        return self.model.card.source == "checkpoint"

    @cached_property
    def _shuffled(self) -> Shuffled:
        return shuffled(self.sentence, self.model)

    @cached_property
    def moved(self) -> "LabView":
        """The same of the words in another order."""
        order = self._shuffled.order
        word = order.index(self.word) if self.word in order else self.word
        return replace(self, sentence=self._shuffled.sentence, word=word)

    def by(self, model: Model) -> "LabView | None":
        """The same text as another model reads it, None if it is too long for that.

        What was done to heads of one model has no counterpart in another, nor has a cell.
        """
        if model is self.model:
            return self
        sentence = self.sentence
        if not model.tokenizer.reads_like(self.model.tokenizer):
            sentence = model.tokenizer.sentence(sentence.text)
        if not 0 < len(sentence.tokens) <= model.card.max_tokens or sentence.is_blank:
            return None
        n_words = len(sentence.plain_words)
        return replace(
            self,
            sentence=sentence,
            model=model,
            layer=min(self.layer, model.card.n_layers - 1),
            head=min(self.head, model.card.n_heads - 1),
            word=self.word if self.word < n_words else n_words - 1,
            controls=replace(self.controls, off=frozenset(), groups=0, cell=None),
        )

    @property
    def shown(self) -> "LabView":
        """The view whose maps are drawn: of the words in another order, if that was asked."""
        return self.moved if self.controls.shuffled else self

    @property
    def drawn_words(self) -> list[int]:
        """For each row of the maps that are drawn the word of the learner's own sentence."""
        if not self.controls.shuffled:
            return self.word_of
        order = self._shuffled.order
        return [order[word] if word < len(order) else word for word in self.moved.word_of]
