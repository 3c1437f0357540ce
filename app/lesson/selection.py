"""What a learner looks at, shared by views, labs and predictions."""

from dataclasses import dataclass, replace

from app.models import Model, Sentence


@dataclass(frozen=True)
class Selection:
    """A sentence, the model that reads it, and a layer, head and word, counted from 0.

    The sentence has at most `model.card.max_tokens` tokens; layer and head exist in the model.
    """

    sentence: Sentence
    model: Model
    layer: int
    head: int
    word: int

    def with_model(self, model: Model) -> "Selection":
        """Return the selection in a model that reads the same tokens; layer and head are clamped
        to those that the model has.
        """
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
