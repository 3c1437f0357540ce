"""Links: paths of steps, the shortest and the full query of a view, and what links carry along."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

from starlette.requests import Request

from app.lesson import Lesson, Step
from app.web.state.controls import implied_panel
from app.web.state.versions import VERSION_PARAM, PinnedVersion
from app.web.state.view import ParsedView, ViewState

EMBED_PARAM = "embed"
"""Query parameter: 1 shows the lab alone, for a frame in another site's page."""


PLAYGROUND_PARAM = "playground"
"""Query parameter: 1 shows the lab without the lesson, with everything that all labs can do."""


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
    params: Mapping[str, str], default_params: Mapping[str, str], version: str | None
) -> str:
    """Return the shortest query that opens the view with these `ViewState.query_params`.

    Parameters that equal `default_params` are left out. Without a version all are included, so that
    the link does not depend on later defaults.
    """
    if version is None:
        return urlencode(params)
    explicit = {name: value for name, value in params.items() if default_params.get(name) != value}
    return urlencode(explicit | {VERSION_PARAM: version})


def default_params(view: ViewState, version: PinnedVersion) -> dict[str, str]:
    """Return the values that parameters of the view have if its link leaves them out.

    A model that was chosen by hand has none: the link names it, and the page knows by that.
    """
    defaults, card = version.defaults, view.card
    values = {
        "text": defaults.text,
        "layer": str(min(defaults.layer, card.n_layers - 1)),
        "head": str(min(defaults.head, card.n_heads - 1)),
        "word": str(version.default_word(view.sentence)),
        "open": implied_panel(view.controls),
    }
    if not view.has_chosen_model:
        values["model"] = defaults.model
    if view.reveals_by_default and view.predict is None:
        values["reveal"] = "1"
    return values


def carried_params(
    view: ViewState, version: PinnedVersion, target: PinnedVersion
) -> dict[str, str]:
    """Return the parameters that links to another step carry along, whose version is `target`.

    They are the learner's own sentence, the word that asks, the model if it was chosen by hand, and
    `reveal`. A word of the step's sentence is carried if it was chosen by hand and the other step
    has the same sentence: a step with another sentence asks about a word of its own.
    """
    carried = {}
    is_own_text = view.text != version.defaults.text
    is_targets_text = view.text == target.defaults.text
    if is_own_text and not is_targets_text:
        carried["text"] = view.text
    if is_own_text or (is_targets_text and view.word != version.defaults.word):
        carried |= _carried_word(view, target)
    if view.has_chosen_model:
        carried["model"] = view.model_id
    if view.reveal and not view.reveals_by_default:
        carried["reveal"] = "1"
    return carried


def _carried_word(view: ViewState, target: PinnedVersion) -> dict[str, str]:
    """Return the word that asks in the other step, if it is not the one that asks there anyway."""
    sentence = view.sentence
    # Another model may not have the special tokens.
    if sentence.words[view.word].is_special or view.word == target.default_word(sentence):
        return {}
    return {"word": str(view.word)}


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
        panel = "" if view.controls.panel == "explain" else view.controls.panel
        controls = replace(view.controls, cell=None, panel=panel)
        nameless = view.replace(controls=controls, predict=None)
        word = {"word": str(defaults.word)}
        params = nameless.query_params | {"text": defaults.text} | word
        default_values = default_params(nameless, self.version) | word
        return canonical_query(params, default_values, self.version.version)

    def _canonical(self, params: Mapping[str, str]) -> str:
        default_values = default_params(self.parsed.view, self.version)
        return canonical_query(params, default_values, self.version.version)

    def _url(self, query: str) -> str:
        return f"{self.path}?{query}{self.suffix}"
