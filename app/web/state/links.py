"""Links: paths of steps, the shortest and the full query of a view, and what links carry along."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

from starlette.requests import Request

from app.lesson import Defaults, Lesson, Step
from app.models import Card
from app.web.state.versions import VERSION_PARAM, PinnedVersion
from app.web.state.view import ParsedView, ViewState

EMBED_PARAM = "embed"
"""Query parameter: 1 shows the lab alone, for a frame in another site's page."""


def path_of(lesson: Lesson, step: Step) -> str:
    """Return the path of a step's page."""
    return f"/{lesson.slug}/{step.slug}"


def origin_of(request: Request) -> str:
    """Return the scheme and host of the server as the client addressed it."""
    return str(request.base_url).rstrip("/")


def oembed_discovery_url(origin: str, path_and_query: str) -> str:
    """Return the URL of the oEmbed description of a page."""
    query = urlencode({"url": f"{origin}{path_and_query}", "format": "json"})
    return f"{origin}/oembed?{query}"


def canonical_query(
    params: Mapping[str, str], defaults: Defaults, card: Card, version: str | None
) -> str:
    """Return the shortest query that opens the view with these `ViewState.query_params`.

    `card` is that of the view's model. Parameters that equal the defaults of `version` are left
    out. Without a version all are included, so that the link does not depend on later defaults.
    """
    if version is None:
        return urlencode(params)
    default_values = {
        "text": defaults.text,
        "model": defaults.model,
        "layer": str(min(defaults.layer, card.n_layers - 1)),
        "head": str(min(defaults.head, card.n_heads - 1)),
        "word": str(defaults.word if params["text"] == defaults.text else 0),
    }
    explicit = {name: value for name, value in params.items() if default_values.get(name) != value}
    return urlencode(explicit | {VERSION_PARAM: version})


def carry_over_query(view: ViewState, defaults: Defaults) -> str:
    """Return what links to other steps carry along, with its "?": the learner's own sentence and
    its model, or a model other than the step's default; else "".
    """
    if view.text != defaults.text:
        carried = {"text": view.text, "model": view.model_id}
    else:
        carried = {} if view.model_id == defaults.model else {"model": view.model_id}
    return f"?{urlencode(carried)}" if carried else ""


@dataclass(frozen=True)
class ViewLinks:
    """Links to one parsed view of the step at `path`, in a lesson version.

    `suffix` is appended to URLs: it keeps the assignment and the frame that the page is in.
    """

    path: str
    parsed: ParsedView
    version: PinnedVersion
    suffix: str = ""

    @property
    def url(self) -> str:
        """Path and query of the view; includes a refused sentence, which thus survives a reload."""
        view, typed_text = self.parsed.view, self.parsed.typed_text
        if typed_text == view.text:
            return self._url(self.query)
        return self._url(self._canonical(view.query_params | {"text": typed_text}))

    @property
    def nearest_valid_url(self) -> str:
        """Path and query of the nearest view that can be shown."""
        return self._url(self.query)

    @cached_property
    def query(self) -> str:
        """The shortest query of the view."""
        return self._canonical(self.parsed.view.query_params)

    @property
    def explicit_query(self) -> str:
        """The query with every parameter and the version: later defaults do not change it."""
        return urlencode(self.parsed.view.query_params | self.version.params)

    @property
    def query_with_default_sentence(self) -> str | None:
        """The shortest query of the view on the step's own sentence, None if it shows that.

        The chosen word is then the default; the explained cell and the prediction are left out.
        """
        view, defaults = self.parsed.view, self.version.defaults
        if view.text == defaults.text:
            return None
        controls = replace(view.controls, cell=None)
        params = view.replace(controls=controls, predict=None).query_params
        return self._canonical(params | {"text": defaults.text, "word": str(defaults.word)})

    def _canonical(self, params: Mapping[str, str]) -> str:
        card = self.parsed.view.model.card
        return canonical_query(params, self.version.defaults, card, self.version.version)

    def _url(self, query: str) -> str:
        return f"{self.path}?{query}{self.suffix}"
