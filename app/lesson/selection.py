"""The sentence, model, layer, head and word of a view."""

from dataclasses import dataclass, field, replace

from app.attention.forward_pass import ForwardPass
from app.attention.intervention import NO_INTERVENTION, Intervention
from app.models import Model, Sentence
from app.models.forward_cache import ForwardKey


@dataclass(frozen=True)
class Selection:
    """A sentence, the model that reads it, and a layer, head and word, counted from 0.

    The sentence has at most `model.card.max_tokens` tokens; layer and head exist in the model.
    `memo` stores the forward passes of this selection and of all made from it with `replace`.
    """

    sentence: Sentence
    model: Model
    layer: int
    head: int
    word: int
    memo: dict[ForwardKey, ForwardPass] = field(default_factory=dict, compare=False, repr=False)

    def run(
        self, *, last_layer: int | None = None, intervention: Intervention = NO_INTERVENTION
    ) -> ForwardPass:
        """Return the model's pass over the sentence, each computed only once: see `Model.run`."""
        return self.model.run(
            self.sentence, last_layer=last_layer, intervention=intervention, memo=self.memo
        )

    def with_model(self, model: Model) -> "Selection":
        """Return the selection for a model that reads the same tokens.

        Layer and head are clamped to those that the model has.
        """
        if model is self.model:
            return self
        return replace(
            self,
            model=model,
            layer=min(self.layer, model.card.n_layers - 1),
            head=min(self.head, model.card.n_heads - 1),
        )


class HasSelection:
    """Read access to the fields of `self.selection`."""

    selection: Selection

    @property
    def sentence(self) -> Sentence:
        return self.selection.sentence

    @property
    def model(self) -> Model:
        return self.selection.model

    @property
    def layer(self) -> int:
        return self.selection.layer

    @property
    def head(self) -> int:
        return self.selection.head

    @property
    def word(self) -> int:
        return self.selection.word
