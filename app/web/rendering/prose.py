"""The prose of a step on one view: what depends on the view, and the links that change it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from markupsafe import Markup

from app.lesson.acting_links import FLAGS, SenselessLinkError, changed_view
from app.lesson.live_html import LinkOf
from app.lesson.prose import Segment
from app.lesson.prose_values import ProseValues
from app.web.state.form import (
    hidden_fields,
    normalise_form,
    previous_controls,
    previous_selection,
)
from app.web.state.requested_view import RequestedView
from app.web.state.view import parse_view


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

    It is the view that the lab's form would open with these values, so what no longer fits is
    dropped or clamped. Return None if the learner's sentence, the model or the assignment does not
    allow the change.
    """
    view, version = requested.view, requested.version
    if any(name in requested.assignment.fixed for name in params):
        return None
    try:
        changed_view(params, view.selection, view.controls, requested.lab, requested.models)
    except SenselessLinkError:
        return None
    fields = {"text": view.text} | hidden_fields(view, {}, has_lab=False)
    form = fields | previous_selection(requested.parsed) | previous_controls(view) | dict(params)
    query = normalise_form(form, requested.step.config.predict, requested.models, version)
    used = {name: value for name, value in query.items() if name not in FLAGS or value == "1"}
    parsed = parse_view(used, version, requested.models, requested.lab)
    answers = {name: query.get(name) for name in ("predict", "check")}
    after = replace(parsed, view=parsed.view.replace(**answers))
    return replace(requested.links, parsed=after).url
