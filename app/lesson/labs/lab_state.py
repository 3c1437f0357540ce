"""What every lab is given."""

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from app.attention import Intervention, Trace
from app.attention.metrics import select_and_renormalise, word_row
from app.attention.weights import Matrix
from app.evaluation.registry import EvaluatedRegistry
from app.lesson.selection import HasSelection, Selection
from app.lesson.shuffle import ShuffledSentence, shuffle_words
from app.models import Model, Token, Word
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
    layout: how heads are shown, one of `LAYOUTS`; the lab's own way if it is empty.
    lock: the chosen head stays in view, whatever thumbnail the pointer is over.
    hide_special_tokens: those, which the model adds by itself, are left out of maps, and the rest
        of each row is brought back to 1.
    """

    causal: bool = False
    unscaled: bool = False
    weighted: bool = False
    shuffled: bool = False
    off: frozenset[tuple[int, int]] = frozenset()
    groups: int = 0
    cell: tuple[int, int] | None = None
    minus: tuple[str, int] | None = None
    layout: str = ""
    lock: bool = False
    hide_special_tokens: bool = False


QUERY_NAMES = {"layout": "show", "hide_special_tokens": "hide"}
"""The names in addresses of those controls that are called otherwise there."""

CONTROLS = tuple(QUERY_NAMES.get(each.name, each.name) for each in fields(Controls))
"""The controls, as addresses name them."""

COMMON_CONTROLS = ("cell", "minus", "show", "lock", "hide")
"""The controls that every lab obeys."""

LAYOUTS = ("grid", "map", "lines", "strip", "overview")
"""Maps of all heads, the map of one, the same as lines between words, what the chosen word reads
laid over the sentence, for all heads, or small maps of every head of every layer.
"""


@dataclass(frozen=True)
class LabState(HasSelection):
    """A selection with the controls of a lab, and everything computed from both.

    Each property is computed at most once.
    """

    selection: Selection
    models: EvaluatedRegistry
    options: dict[str, Any] = field(default_factory=dict)
    controls: Controls = Controls()

    @cached_property
    def visible_indices(self) -> list[int]:
        """The tokens that maps show: all, or the learner's own where special ones are hidden."""
        return (
            self.sentence.content_indices
            if self.controls.hide_special_tokens
            else list(range(len(self.sentence.tokens)))
        )

    @cached_property
    def tokens(self) -> list[Token]:
        """Those along the sides of maps."""
        return [self.sentence.tokens[index] for index in self.visible_indices]

    @cached_property
    def word_of(self) -> list[int]:
        """For each of them its word."""
        return [token.word for token in self.tokens]

    @cached_property
    def words(self) -> list[Word]:
        """Those that maps show, in the order of reading."""
        word_indices = dict.fromkeys(self.word_of)
        return [self.sentence.words[index] for index in word_indices]

    @cached_property
    def word_indices(self) -> list[int]:
        """The numbers of these words."""
        return [word.index for word in self.words]

    @cached_property
    def word_texts(self) -> list[str]:
        """These words as text."""
        return [word.text for word in self.words]

    @property
    def query_rows(self) -> list[int]:
        """The rows of the chosen word."""
        return [row for row, word in enumerate(self.word_of) if word == self.word]

    @property
    def query_tokens(self) -> list[int]:
        """The tokens of the chosen word, among all that the model reads."""
        return [self.visible_indices[row] for row in self.query_rows]

    @property
    def intervention(self) -> Intervention:
        """What the controls change in a pass."""
        controls = self.controls
        return Intervention(
            causal=controls.causal,
            ablated_heads=controls.off,
            scaled=not controls.unscaled,
            groups=controls.groups,
        )

    @property
    def query_word(self) -> str:
        """The chosen word, as it is spelled."""
        return self.sentence.words[self.word].text

    @property
    def max_entropy(self) -> float:
        """The entropy of a row that reads every token the same, in bits."""
        return float(np.log2(len(self.tokens)))

    @cached_property
    def axis(self) -> Axis:
        """The tokens along both sides of a map, those of the chosen word marked."""
        return Axis([token.text for token in self.tokens], self.word_of, self.query_rows)

    @cached_property
    def heatmap_layout(self) -> HeatmapLayout:
        """What all maps of the sentence have in common, the chosen word's rows framed."""
        return HeatmapLayout(self.axis)

    @cached_property
    def trace(self) -> Trace:
        """Every intermediate of the chosen layer, as the controls have it."""
        return self.trace_of(self.intervention)

    def trace_of(self, intervention: Intervention) -> Trace:
        """Every intermediate of the chosen layer under another intervention."""
        forward_pass = self.selection.run(last_layer=self.layer, intervention=intervention)
        return forward_pass.trace(self.layer)

    @cached_property
    def maps(self) -> Matrix:
        """What the maps of the chosen layer show, (n_heads, n, n): weights, weighted by what is
        written if the controls say so, and without special tokens if these are hidden.
        """
        return self._visible_maps(self.trace)

    @cached_property
    def all_maps(self) -> list[Matrix]:
        """The same of every layer."""
        card = self.model.card
        forward_pass = self.selection.run(
            last_layer=card.n_layers - 1, intervention=self.intervention
        )
        return [self._visible_maps(forward_pass.trace(layer)) for layer in range(card.n_layers)]

    def _visible_maps(self, trace: Trace) -> Matrix:
        return self.visible_and_renormalised(
            trace.norm_weighted if self.controls.weighted else trace.weights
        )

    def visible_and_renormalised(self, weights: Matrix) -> Matrix:
        """Of weights (..., n, n) over all tokens what maps show: see `hide_special_tokens`."""
        return (
            select_and_renormalise(weights, self.visible_indices)
            if self.controls.hide_special_tokens
            else weights
        )

    def visible_part(self, values: Matrix) -> Matrix:
        """Of (..., n, n) figures over all tokens the rows and columns that maps show."""
        return (
            values[..., self.visible_indices, :][..., self.visible_indices]
            if self.controls.hide_special_tokens
            else values
        )

    @cached_property
    def query_word_attention(self) -> tuple[Matrix, list[str]]:
        """What the chosen word reads in each head, (n_heads, n_words), and the words that maps
        show, both in the order of reading.
        """
        rows = word_row(self.maps, self.word_of, self.word)
        return rows[:, self.word_indices], self.word_texts

    @property
    def group_size(self) -> int:
        """How many heads read the same keys and values, as the controls have it."""
        card = self.model.card
        return card.n_heads // (self.controls.groups or card.n_kv_heads)

    @property
    def archive_starts_at_layer(self) -> bool:
        """Whether an archive of this view begins with the layer's inputs, not with tokens."""
        return self.model.card.kind == "checkpoint"

    @cached_property
    def _shuffled_sentence(self) -> ShuffledSentence:
        return shuffle_words(self.sentence, self.model)

    @cached_property
    def shuffled(self) -> "LabState":
        """The same of the words in another order."""
        permutation = self._shuffled_sentence.permutation
        word = permutation.index(self.word) if self.word in permutation else self.word
        sentence = self._shuffled_sentence.sentence
        return replace(self, selection=replace(self.selection, sentence=sentence, word=word))

    def for_model(self, model: Model) -> "LabState | None":
        """The same text as another model reads it, None if it is too long for that.

        What was done to heads of one model has no counterpart in another, nor has a cell.
        """
        if model is self.model:
            return self
        sentence = self.sentence
        if not model.tokenizer.same_tokens_as(self.model.tokenizer):
            sentence = model.tokenizer.sentence(sentence.text)
        if not 0 < len(sentence.tokens) <= model.card.max_tokens or sentence.is_blank:
            return None
        n_words = len(sentence.content_words)
        word = self.word if self.word < n_words else n_words - 1
        return replace(
            self,
            selection=replace(self.selection.with_model(model), sentence=sentence, word=word),
            controls=replace(self.controls, off=frozenset(), groups=0, cell=None),
        )

    @property
    def displayed(self) -> "LabState":
        """The view whose maps are drawn: of the words in another order, if that was asked."""
        return self.shuffled if self.controls.shuffled else self

    @property
    def displayed_word_ids(self) -> list[int]:
        """For each row of the maps that are drawn the word of the learner's own sentence."""
        if not self.controls.shuffled:
            return self.word_of
        permutation = self._shuffled_sentence.permutation
        return [
            permutation[word] if word < len(permutation) else word for word in self.shuffled.word_of
        ]
