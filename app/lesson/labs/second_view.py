"""For any lab: the heads of another sentence, or of another model, beside those of the view."""

from dataclasses import dataclass, replace

from app.lesson.asking_word import longest_word, same_word
from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.labs.lab_state import LabState
from app.models import Card


@dataclass(frozen=True)
class HeadsOfView:
    """All heads of one layer of one model on one sentence."""

    text: str
    model: Card
    layer: int
    heads: tuple[HeadFigure, ...]


@dataclass(frozen=True)
class TwoViews:
    """The view and the second one.

    `second` is None if the second model cannot read the second sentence, which has `n_tokens`.
    """

    first: HeadsOfView
    second: HeadsOfView | None
    text: str
    model: Card
    n_tokens: int


def two_views(state: LabState) -> TwoViews | None:
    """Return both views, None if that panel is closed.

    Without a second sentence or model, the view's own are used. The same word asks in the second
    sentence if it is there, else the longest. Controls that belong to one model are dropped.
    """
    controls = state.controls
    if controls.panel != "beside":
        return None
    model = state.models[controls.second_model] if controls.second_model else state.model
    text = controls.second_text or state.sentence.text
    sentence = model.tokenizer.sentence(text)
    n_tokens = len(sentence.tokens)
    first = _heads(state.displayed)
    if sentence.is_blank or n_tokens > model.card.max_tokens:
        return TwoViews(first, None, text, model.card, n_tokens)
    place = same_word(state.sentence, state.word, sentence)
    word = longest_word(sentence) if place is None else place
    selection = replace(state.selection.with_model(model), sentence=sentence, word=word)
    if model is not state.model:
        controls = replace(controls, off=frozenset(), groups=0, cell=None)
    second = replace(state, selection=selection, controls=controls, marks=())
    return TwoViews(first, _heads(second.displayed), text, model.card, n_tokens)


def _heads(state: LabState) -> HeadsOfView:
    return HeadsOfView(
        state.sentence.text, state.model.card, state.layer, head_figures(state, state.maps)
    )
