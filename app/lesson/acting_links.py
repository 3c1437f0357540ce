"""Links in prose that change the view: what they may change, and where they make no sense."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from app.lesson.labs import LABS, Lab
from app.lesson.labs.lab_state import PANELS, QUERY_NAMES, STAGES, Controls
from app.lesson.selection import Selection
from app.models import Model, Registry, Sentence
from app.models.registry import join_with_and

SELECTION_PARAMS = ("text", "model", "layer", "head", "word")

FLAGS = tuple(
    QUERY_NAMES.get(control.name, control.name)
    for control in fields(Controls)
    if control.default is False
)
"""The controls that are on or off."""

_INDEX = re.compile(r"[0-9]{1,4}", re.ASCII)
_PAIR = re.compile(r"(.+)\.([0-9]{1,4})", re.ASCII)


class SenselessLinkError(ValueError):
    """A link names a parameter that the lab does not have, or a value that the view cannot have."""


@dataclass(frozen=True)
class ChangedView:
    """The model and the sentence that a link leads to, and the lab that it changes."""

    lab: Lab
    models: Registry
    model: Model
    sentence: Sentence
    hides_special_tokens: bool

    @property
    def n_tokens(self) -> int:
        """The number of tokens that maps show."""
        sentence = self.sentence
        return len(sentence.content_indices if self.hides_special_tokens else sentence.tokens)

    @property
    def n_words(self) -> int:
        sentence = self.sentence
        return len(sentence.content_words if self.hides_special_tokens else sentence.words)


def lab_controls(lab_name: str) -> tuple[str, ...]:
    """Return the query names that a link may change in a lab."""
    return (*SELECTION_PARAMS, *LABS[lab_name].controls)


def changed_view(
    params: Mapping[str, str], selection: Selection, controls: Controls, lab: Lab, models: Registry
) -> ChangedView:
    """Return what the view becomes if a link changes `params`.

    Raises `SenselessLinkError` if the lab has no such parameter, or the view no such value: the
    sentence has no such word, the model no such head, or it cannot use the control.
    """
    for name in params:
        if name not in SELECTION_PARAMS and name not in lab.controls:
            known = join_with_and([*SELECTION_PARAMS, *lab.controls])
            raise SenselessLinkError(f"this lab has no control “{name}”; there are {known}")
    model = selection.model
    if "model" in params:
        if params["model"] not in models:
            raise SenselessLinkError(f"no model “{params['model']}”")
        model = models[params["model"]]
    sentence = _sentence(params.get("text"), selection, model)
    hide = params.get("hide", "1" if controls.hide_special_tokens else "")
    view = ChangedView(lab, models, model, sentence, hide == "1")
    for name, value in params.items():
        if name in _CHECKS and value and not _CHECKS[name](value, view):
            raise SenselessLinkError(f"{name} cannot be “{value}” here")
    return view


def _sentence(text: str | None, selection: Selection, model: Model) -> Sentence:
    """Return the sentence as the model reads it. Raises `SenselessLinkError` if it cannot."""
    sentence, tokenizer = selection.sentence, model.tokenizer
    if text is not None:
        sentence = tokenizer.sentence(text)
    elif not tokenizer.same_tokens_as(selection.model.tokenizer):
        sentence = tokenizer.sentence(sentence.text)
    if sentence.is_blank or len(sentence.tokens) > model.card.max_tokens:
        raise SenselessLinkError(f"{model.card.id} cannot read this sentence")
    return sentence


def _is_index(value: str, count: int) -> bool:
    return bool(_INDEX.fullmatch(value)) and int(value) < count


def _is_pair(value: str, n_first: int, n_second: int) -> bool:
    pair = _PAIR.fullmatch(value)
    return bool(pair) and _is_index(pair[1], n_first) and _is_index(pair[2], n_second)  # type: ignore[index]


def _is_flag(value: str, _: ChangedView) -> bool:
    return value in ("0", "1")


def _can_set_causal(value: str, view: ChangedView) -> bool:
    return _is_flag(value, view) and not view.model.card.causal


def _are_heads(value: str, view: ChangedView) -> bool:
    card = view.model.card
    return all(_is_pair(head, card.n_layers, card.n_heads) for head in value.split(","))


def _can_share(value: str, view: ChangedView) -> bool:
    n_kv_heads = view.model.card.n_kv_heads
    return _is_index(value, n_kv_heads + 1) and int(value) > 0 and n_kv_heads % int(value) == 0


def _is_comparable(value: str, view: ChangedView) -> bool:
    cards = {model.card.id: model.card for model in view.models.with_same_tokenizer(view.model)}
    model_id, _, head = value.rpartition(".")
    return (
        model_id in cards
        and _is_index(head, cards[model_id].n_heads)
        and len(view.sentence.tokens) <= cards[model_id].max_tokens
    )


_CHECKS: dict[str, Callable[[str, ChangedView], bool]] = {
    **dict.fromkeys(FLAGS, _is_flag),
    "causal": _can_set_causal,
    "layer": lambda value, view: _is_index(value, view.model.card.n_layers),
    "head": lambda value, view: _is_index(value, view.model.card.n_heads),
    "word": lambda value, view: _is_index(value, view.n_words),
    "cell": lambda value, view: _is_pair(value, view.n_tokens, view.n_tokens),
    "off": _are_heads,
    "groups": _can_share,
    "minus": _is_comparable,
    "stage": lambda value, _: value in STAGES,
    "open": lambda value, _: value in PANELS,
    "show": lambda value, view: value in view.lab.layouts,
}
"""For each parameter whether a value, if it is not empty, is possible in the changed view."""
