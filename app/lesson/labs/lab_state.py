"""The input of every lab: a selection with controls, and what follows from both."""

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from app.attention import Intervention, Trace
from app.attention.metrics import select_and_renormalise, word_row
from app.attention.weights import Matrix
from app.evaluation.registry import EvaluatedRegistry
from app.lesson.predictions.question import Mark
from app.lesson.selection import HasSelection, Selection
from app.lesson.shuffle import ShuffledSentence, shuffle_words
from app.models import Model, Token, Word
from app.picture import Axis, HeatmapLayout


@dataclass(frozen=True)
class Controls:
    """Settings of a lab besides sentence, model, layer, head and word.

    causal: queries read only themselves and earlier tokens.
    unscaled: scores are not divided by √d_head.
    weighted: maps show norm-weighted attention: see `Trace.norm_weighted`.
    shuffled: the words of the sentence are shuffled.
    off: ablated heads, as (layer, head).
    groups: number of groups into which K/V projections are averaged; 0 leaves them as trained.
    cell: (query, key) of the explained weight, counted in the tokens that maps show.
    minus: (model id, head) whose map is subtracted from that of the chosen head.
    layout: one of `LAYOUTS`, or "" for the default of the lab.
    hide_special_tokens: maps leave out tokens that the model adds, and rows are renormalised.
    stage: the stage of the scores that the map of one head shows, one of `STAGES`; "" is weights.
    panel: the open panel of the lab, one of `PANELS`, or "".
    second_text, second_model: the sentence and the model of the second view; "" for the view's own.
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
    hide_special_tokens: bool = False
    stage: str = ""
    panel: str = ""
    second_text: str = ""
    second_model: str = ""


QUERY_NAMES = {
    "layout": "show",
    "hide_special_tokens": "hide",
    "panel": "open",
    "second_text": "text2",
    "second_model": "model2",
}
"""Query names of the controls whose field has another name."""

CONTROLS = tuple(QUERY_NAMES.get(each.name, each.name) for each in fields(Controls))
"""The query names of all controls."""

COMMON_CONTROLS = ("cell", "minus", "show", "hide", "open", "text2", "model2")
"""The controls of every lab."""

STAGES = ("products", "scaled", "masked")
"""Stages of the scores before the softmax."""

PANELS = ("change", "row", "explain", "heads", "compare", "beside", "numbers", "files")
"""Panels that open in the lab, one at a time."""

LAYOUTS = ("grid", "map", "lines", "strip", "overview")
"""Layouts of heads: maps of all heads, the map of one, lines between tokens, a strip for each head
with the chosen word's weights on the sentence, and small maps of every head of every layer.
"""


@dataclass(frozen=True)
class LabState(HasSelection):
    """A selection with the controls of a lab, and the arrays that follow from both.

    Tokens, words and maps exclude special tokens if `hide_special_tokens` is set. Cached properties
    are computed at most once.

    is_revealed: labs show what answers the step's question; if not, they leave it out.
    marks: what decides the answer, to be outlined; empty before it is revealed.
    memo: what several parts of a page show of this view, by name, computed once.
    """

    selection: Selection
    models: EvaluatedRegistry
    options: dict[str, Any] = field(default_factory=dict)
    controls: Controls = Controls()
    is_revealed: bool = True
    marks: tuple[Mark, ...] = ()
    memo: dict[str, Any] = field(init=False, default_factory=dict, compare=False, repr=False)

    @cached_property
    def visible_indices(self) -> list[int]:
        """Indices in the sentence of the tokens that maps show."""
        return (
            self.sentence.content_indices
            if self.controls.hide_special_tokens
            else list(range(len(self.sentence.tokens)))
        )

    @cached_property
    def tokens(self) -> list[Token]:
        """The tokens along both sides of maps."""
        return [self.sentence.tokens[index] for index in self.visible_indices]

    @cached_property
    def word_of(self) -> list[int]:
        """The index of each token's word."""
        return [token.word for token in self.tokens]

    @cached_property
    def words(self) -> list[Word]:
        """The words of these tokens, in the order of reading."""
        word_indices = dict.fromkeys(self.word_of)
        return [self.sentence.words[index] for index in word_indices]

    @cached_property
    def word_indices(self) -> list[int]:
        """The indices of these words."""
        return [word.index for word in self.words]

    @cached_property
    def word_texts(self) -> list[str]:
        """The texts of these words."""
        return [word.text for word in self.words]

    @cached_property
    def query_rows(self) -> list[int]:
        """The rows of maps that belong to the chosen word."""
        return [row for row, word in enumerate(self.word_of) if word == self.word]

    @property
    def query_tokens(self) -> list[int]:
        """The tokens of the chosen word, among all of the sentence."""
        return [self.visible_indices[row] for row in self.query_rows]

    def marks_of(self, head: int) -> tuple[Mark, ...]:
        """Return the marks of one head of the selected model."""
        models = (None, self.model.card.id)
        return tuple(mark for mark in self.marks if mark.head == head and mark.model in models)

    def is_marked(self, head: int) -> bool:
        """Return whether a mark outlines a whole head of the selected model."""
        return any(mark.kind == "head" for mark in self.marks_of(head))

    @property
    def intervention(self) -> Intervention:
        """The intervention of the controls in a forward pass."""
        controls = self.controls
        return Intervention(
            causal=controls.causal,
            ablated_heads=controls.off,
            scaled=not controls.unscaled,
            groups=self.groups,
        )

    @property
    def query_word(self) -> str:
        """The text of the chosen word."""
        return self.sentence.words[self.word].text

    @property
    def max_entropy(self) -> float:
        """The entropy of a uniform row, in bits."""
        return float(np.log2(len(self.tokens)))

    @cached_property
    def axis(self) -> Axis:
        """The axis of maps, with the rows of the chosen word marked."""
        return Axis([token.text for token in self.tokens], self.word_of, self.query_rows)

    @cached_property
    def heatmap_layout(self) -> HeatmapLayout:
        """The layout of all maps of the sentence."""
        return HeatmapLayout(self.axis)

    @cached_property
    def trace(self) -> Trace:
        """Every intermediate of the chosen layer under the controls."""
        return self.trace_of(self.intervention)

    def trace_of(self, intervention: Intervention) -> Trace:
        """Return every intermediate of the chosen layer under an intervention."""
        forward_pass = self.selection.run(last_layer=self.layer, intervention=intervention)
        return forward_pass.trace(self.layer)

    @cached_property
    def maps(self) -> Matrix:
        """The numbers on the maps of the chosen layer, (n_heads, n, n).

        They are attention weights, norm-weighted and without special tokens if the controls say so.
        """
        return self._visible_maps(self.trace)

    @cached_property
    def all_maps(self) -> list[Matrix]:
        """`maps` of every layer."""
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
        """Return weights (..., n, n) of the sentence as maps show them, with rows that sum to 1."""
        return (
            select_and_renormalise(weights, self.visible_indices)
            if self.controls.hide_special_tokens
            else weights
        )

    @property
    def scores_of_stage(self) -> Matrix | None:
        """The scores (n_heads, n, n) of the chosen stage, None for the weights."""
        trace, stage = self.trace, self.controls.stage
        scores = {"products": trace.scores, "scaled": trace.scaled, "masked": trace.masked}
        return self.visible_part(scores[stage]) if stage else None

    def visible_part(self, values: Matrix) -> Matrix:
        """Return the rows and columns of values (..., n, n) of the sentence that maps show."""
        return (
            values[..., self.visible_indices, :][..., self.visible_indices]
            if self.controls.hide_special_tokens
            else values
        )

    @cached_property
    def query_word_attention(self) -> tuple[Matrix, list[str]]:
        """The attention of the chosen word to each word, (n_heads, n_words), and their texts."""
        rows = word_row(self.maps, self.word_of, self.word)
        return rows[:, self.word_indices], self.word_texts

    @property
    def groups(self) -> int:
        """The number of groups into which K/V projections are averaged; 0 as trained.

        One group answers a question, so before the answer is revealed there are no groups instead.
        """
        groups = self.controls.groups
        return groups if self.is_revealed or groups != 1 else 0

    @property
    def group_size(self) -> int:
        """The number of heads with the same keys and values, under the controls."""
        card = self.model.card
        return card.n_heads // (self.groups or card.n_kv_heads)

    @property
    def archive_starts_at_layer(self) -> bool:
        """Whether an exported archive holds the layer's inputs instead of the whole model."""
        return self.model.card.kind == "checkpoint"

    @cached_property
    def _shuffled_sentence(self) -> ShuffledSentence:
        return shuffle_words(self.sentence, self.model)

    @cached_property
    def shuffled(self) -> "LabState":
        """The same view of the shuffled sentence."""
        permutation = self._shuffled_sentence.permutation
        word = permutation.index(self.word) if self.word in permutation else self.word
        sentence = self._shuffled_sentence.sentence
        marks = tuple(mark for mark in self.marks if mark.row is None and mark.column is None)
        return replace(
            self, selection=replace(self.selection, sentence=sentence, word=word), marks=marks
        )

    def at_layer(self, layer: int) -> "LabState":
        """Return the same view in another layer."""
        return replace(self, selection=replace(self.selection, layer=layer))

    def for_model(self, model: Model) -> "LabState | None":
        """Return the same view in another model, None if that cannot read the sentence.

        Ablated heads, groups and the cell are dropped: they belong to one model.
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
        """The view whose maps are drawn: the shuffled one if the controls say so."""
        return self.shuffled if self.controls.shuffled else self

    @property
    def displayed_word_ids(self) -> list[int]:
        """For each row of the drawn maps, the word of the sentence as typed."""
        if not self.controls.shuffled:
            return self.word_of
        permutation = self._shuffled_sentence.permutation
        return [
            permutation[word] if word < len(permutation) else word for word in self.shuffled.word_of
        ]
