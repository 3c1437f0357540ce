"""The prose of a step on one view: what depends on the view, and the links that change it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

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
    state = requested.lab_state
    hides_top = requested.lab.hides_query_rows(state.displayed)
    return ProseContext(
        values=ProseValues(state, hides_top=hides_top),
        link_of=ViewChanges(requested).url_after,
        is_default_sentence=requested.view.text == requested.step.config.defaults.text,
    )


FORM_PARAMS = ("text", "model", "hide", "minus")
"""Parameters whose change means that others no longer fit."""


@dataclass(frozen=True)
class ViewChanges:
    """The URLs of the views to which links in prose lead from one view."""

    requested: RequestedView

    def url_after(self, params: Mapping[str, str]) -> str | None:
        """Return the URL of the view after a link has changed `params`.

        It opens what the lab's form would open with these values. Return None if the learner's
        sentence, the model or the assignment does not allow the change, or if the word is the one
        that asks.
        """
        requested, view = self.requested, self.requested.view
        if any(name in requested.assignment.fixed for name in params):
            return None
        if params == {"word": str(view.word)}:
            return None
        try:
            changed_view(params, view.selection, view.controls, requested.lab, requested.models)
        except SenselessLinkError:
            return None
        if params.get("cell") == "" or any(name in params for name in FORM_PARAMS):
            return self.url_of_form(params)
        changes = {"open": "explain", **params} if "cell" in params else params
        pieces = self._query_pieces | {
            name: urlencode({name: value}) for name, value in changes.items()
        }
        dropped = [name for name, value in params.items() if _is_off(name, value)]
        if params.get("open") == "":
            dropped += ["cell", "minus"]
        if any(self._asks_anew(name, value) for name, value in params.items()):
            dropped.append("predict")
        query = "&".join(piece for name, piece in pieces.items() if name not in dropped)
        return f"{requested.links.path}?{query}{requested.links.suffix}"

    def url_of_form(self, params: Mapping[str, str]) -> str:
        """Return the URL that the lab's form leads to with these values."""
        requested, view = self.requested, self.requested.view
        fields = {"text": view.text} | hidden_fields(view, {}, has_lab=False)
        previous = previous_selection(requested.parsed) | previous_controls(view)
        form = fields | previous | dict(params)
        config, models, version = requested.step.config, requested.models, requested.version
        query = normalise_form(form, config.predict, models, version)
        used = {name: value for name, value in query.items() if not _is_off(name, value)}
        parsed = parse_view(used, version, models, requested.lab)
        answers = {name: query.get(name) for name in ("predict", "check")}
        after = replace(parsed, view=parsed.view.replace(**answers))
        return replace(requested.links, parsed=after).url

    @cached_property
    def _query_pieces(self) -> dict[str, str]:
        """The parts of the view's query by the names of their parameters."""
        return {piece.partition("=")[0]: piece for piece in self.requested.links.query.split("&")}

    def _asks_anew(self, name: str, value: str) -> bool:
        """Return whether the answer depends on a value that changes."""
        return (
            name in self.requested.prediction.type.depends_on
            and self.requested.view.query_params.get(name, "") != value
        )


def _is_off(name: str, value: str) -> bool:
    return not value or (name in FLAGS and value == "0")
