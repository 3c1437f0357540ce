"""The prose of a step on one view: what depends on the view, and the links that change it."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from app.lesson.acting_links import FLAGS, MODEL_CONTROLS, SenselessLinkError, changed_view
from app.lesson.live_html import LinkOf
from app.lesson.prose import Segment
from app.lesson.prose_values import ProseValues
from app.web.state.form import normalise_form, previous_controls, previous_selection
from app.web.state.requested_view import RequestedView


@dataclass(frozen=True)
class ProseContext:
    """What the live parts of prose are filled with.

    values: the values of placeholders, computed when first used.
    link_of: returns the URL of the view that a link leads to, None if it makes no sense here.
    """

    values: Mapping[str, str]
    link_of: LinkOf
    is_default_sentence: bool

    def is_shown(self, segment: Segment) -> bool:
        """Return whether a segment is for this sentence."""
        if segment.condition is None:
            return True
        return (segment.condition == "default") == self.is_default_sentence

    def html(self, segment: Segment) -> Markup:
        """Return the content of a live segment, empty if it is not for this sentence."""
        if segment.live_html is None or not self.is_shown(segment):
            return Markup()
        return Markup(  # noqa: S704
            segment.live_html.render(self.values, self.link_of, f"act-{segment.id}")
        )


def prose_context(requested: RequestedView) -> ProseContext:
    return ProseContext(
        values=ProseValues(requested.lab_state),
        link_of=lambda params: url_after(requested, params),
        is_default_sentence=requested.view.text == requested.step.config.defaults.text,
    )


def url_after(requested: RequestedView, params: Mapping[str, str]) -> str | None:
    """Return the URL of the view after a link has changed `params`.

    As with a press on a button, what no longer fits is dropped or clamped. Return None if the
    learner's sentence, the model or the assignment does not allow the change.
    """
    view = requested.view
    if any(name in requested.assignment.fixed for name in params):
        return None
    try:
        changed = changed_view(
            params, view.selection, view.controls, requested.lab, requested.models
        )
    except SenselessLinkError:
        return None
    card = changed.model.card
    kept = view.query_params
    if changed.model is not view.model:
        kept = {name: value for name, value in kept.items() if name not in MODEL_CONTROLS}
        kept |= {
            "layer": str(min(view.layer, card.n_layers - 1)),
            "head": str(min(view.head, card.n_heads - 1)),
        }
    if changed.sentence.text != view.text:
        kept = {name: value for name, value in kept.items() if name not in ("word", "cell")}
    elif view.word >= changed.n_words:
        kept["word"] = str(changed.n_words - 1)
    form = kept | previous_selection(requested.parsed) | previous_controls(view) | dict(params)
    query = normalise_form(form, requested.step.config.predict, requested.models, view.model)
    used = {name: value for name, value in query.items() if not _is_off(name, value)}
    return requested.links.url_after(used, card)


def _is_off(name: str, value: str) -> bool:
    return not value or (name in FLAGS and value == "0")
