"""The view state: what a learner looks at, as an address says it. The one place that knows the
names in the query.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from app.lesson import CONTROLS, Controls, Defaults, Lesson, Step
from app.lesson.selection import HasSelection, Selection
from app.models import Card, Model, Registry, Sentence, UnknownModelError, sanitise_text
from app.models.registry import join_with_and
from app.web.state.controls import ControlContext, parse_controls, serialise_controls
from app.web.state.query_params import Problem, parse_choice, parse_index, quote_for_message

NO_CONTROLS = Controls()


@dataclass(frozen=True)
class ViewState(HasSelection):
    """One exact view of a step.

    `predict` and `check` are the learner's answers, None before an answer is given.
    """

    selection: Selection
    controls: Controls = NO_CONTROLS
    predict: str | None = None
    check: str | None = None

    @property
    def text(self) -> str:
        return self.sentence.text

    @property
    def model_id(self) -> str:
        return self.model.card.id

    def query_params(self) -> dict[str, str]:
        """Return the query parameters of this view in canonical order, without unused controls."""
        selection = {
            "text": self.text,
            "model": self.model_id,
            "layer": str(self.layer),
            "head": str(self.head),
            "word": str(self.word),
        }
        answers = {"predict": self.predict, "check": self.check}
        committed = {name: value for name, value in answers.items() if value is not None}
        return selection | serialise_controls(self.controls) | committed

    def replace(self, **changes: object) -> "ViewState":
        return replace(self, **changes)  # type: ignore[arg-type]

    def query_value_after(self, **changes: object) -> str:
        """The address's value of one control after a change: what its button sends."""
        (name,) = changes
        controls = replace(self.controls, **changes)  # type: ignore[arg-type]
        return serialise_controls(controls).get(name, "")

    def toggled_head(self, layer: int, head: int) -> str:
        """The value of `off` after a press on a head's switch."""
        return self.query_value_after(off=self.controls.off ^ {(layer, head)})


SELECTION_PARAMS = ("text", "model", "layer", "head", "word")

VERSION_PARAM = "v"
"""In an address: the version of the lesson whose defaults it leaves unsaid."""


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


@dataclass(frozen=True)
class PinnedVersion:
    """The version that an address names, the defaults that it has, and what is no longer as it was.

    Without `version`, addresses say everything.
    """

    version: str | None
    defaults: Defaults
    problem: Problem | None = None
    weights_sha256: Mapping[str, str] = field(default_factory=dict)

    def weights_differ(self, model: Model) -> bool:
        """Whether the model's weights are others than those of this version."""
        pinned_sha256 = self.weights_sha256.get(model.card.id)
        return pinned_sha256 is not None and pinned_sha256 != model.weights_sha256


def resolve_version(query: Mapping[str, str], lesson: Lesson, step: Step) -> PinnedVersion:
    """Return the version that a link names if it recorded the step, else the current one.

    A step that neither of them recorded has no version, so that its links do not depend on
    defaults that may still change.
    """
    requested = query.get(VERSION_PARAM)
    problem = None
    if requested is not None and requested not in lesson.versions:
        available = join_with_and([*lesson.versions]) if lesson.versions else "none"
        message = (
            f"This link is of version “{quote_for_message(requested)}” of the lesson."
            f" There is {available}."
        )
        problem = Problem(VERSION_PARAM, message, tuple(lesson.versions))
    name = lesson.version_recording(step, requested)
    if name is None:
        return PinnedVersion(None, step.config.defaults, problem)
    recorded = lesson.versions[name]
    return PinnedVersion(name, recorded.steps[step.slug], problem, recorded.models)


@dataclass(frozen=True)
class ParsedView:
    """What an address asks for. With problems, `view` is the nearest view that works.

    `typed` is the text as it came, whether it can be shown or not.
    """

    typed_text: str
    view: ViewState
    problems: tuple[Problem, ...]

    @property
    def text_problem(self) -> Problem | None:
        return next((problem for problem in self.problems if problem.name == "text"), None)


def normalise_form(
    form: Mapping[str, str], predicted_model_id: str | None, depends_on: Sequence[str]
) -> dict[str, str]:
    """What the lab's form sends, as an address would say it.

    A prediction holds for what of the view it is `about`, which the form sends along as `was_…`;
    of anything else it is dropped. Committing to one chooses the model that it asks, if that is a
    certain one. `focus` is a head that was pressed on among others: it is chosen, and stays in
    view; `at` is one among those of every layer, as layer.head.
    """
    params = (*SELECTION_PARAMS, *CONTROLS, "predict", "check", VERSION_PARAM)
    query = {name: form[name] for name in params if name in form}
    # The field may hold what a view cannot: a tab, say, which `was_text` no longer has.
    current = {**form, "text": sanitise_text(form.get("text", ""))}
    if "at" in form:
        layer, _, head = form["at"].partition(".")
        query |= {"layer": layer, "head": head}
    if "focus" in form:
        query |= {"head": form["focus"], "lock": "1"}
    if form.get("was_hide", "") != form.get("hide", ""):
        # A cell is counted in the tokens that are shown.
        query.pop("cell", None)
    if any(form.get(f"was_{name}") != current.get(name) for name in depends_on):
        query.pop("predict", None)
    elif "commit" in form:
        query["predict"] = form["commit"]
        if predicted_model_id:
            query["model"] = predicted_model_id
    return query


@dataclass(frozen=True)
class StepOptions:
    """What a step lets an address say: the answers that can be predicted for a view, the options of
    its check, the controls that its lab has, and the ways in which that shows heads.
    """

    prediction_ids: Callable[[Selection], Sequence[str]]
    check_ids: Sequence[str]
    controls: Sequence[str] = ()
    layouts: Sequence[str] = ()


def parse_view(
    query: Mapping[str, str],
    pinned_version: PinnedVersion,
    models: Registry,
    options: StepOptions,
) -> ParsedView:
    """Reads every name of the query, falling back on the version's defaults where one is absent.

    Names that no view has are passed over.
    """
    problems = list(filter(None, [pinned_version.problem]))
    defaults = pinned_version.defaults
    typed_text = sanitise_text(query.get("text", defaults.text))
    model = parse_model(
        query.get("model", defaults.model), models, models[defaults.model], problems
    )
    sentence = parse_sentence(typed_text, model, problems)
    if sentence is None:
        sentence = truncate_to_model(defaults.text, model)
        query = {name: value for name, value in query.items() if name != "word"}
    default_word = defaults.word if sentence.text == defaults.text else 0
    hides_special_tokens = query.get("hide") == "1" and "hide" in options.controls
    n_words = len(sentence.content_words if hides_special_tokens else sentence.words)
    selection = Selection(
        sentence,
        model,
        layer=parse_index("layer", query, defaults.layer, model.card.n_layers, problems),
        head=parse_index("head", query, defaults.head, model.card.n_heads, problems),
        word=parse_index("word", query, default_word, n_words, problems),
    )
    raw_controls = {name: query[name] for name in options.controls if query.get(name)}
    context = ControlContext(
        model, sentence, models, options.layouts, hides_special_tokens, problems
    )
    view = ViewState(selection, parse_controls(raw_controls, context))
    if "predict" in query:
        choices = options.prediction_ids(selection)
        view = view.replace(predict=parse_choice("predict", query["predict"], choices, problems))
    if "check" in query:
        view = view.replace(
            check=parse_choice("check", query["check"], options.check_ids, problems)
        )
    return ParsedView(typed_text, view, tuple(problems))


def truncate_to_model(text: str, model: Model) -> Sentence:
    """The text, or as much of its beginning as the model reads."""
    sentence = model.tokenizer.sentence(text)
    return model.tokenizer.sentence(sentence.truncated_text(model.card.max_tokens))


def parse_model(model_id: str, models: Registry, fallback: Model, problems: list[Problem]) -> Model:
    try:
        return models[model_id]
    except UnknownModelError as error:
        problems.append(
            Problem(
                "model",
                str(UnknownModelError(quote_for_message(model_id), error.available)),
                tuple(models.ids),
            )
        )
        return fallback


def parse_sentence(text: str, model: Model, problems: list[Problem]) -> Sentence | None:
    """The sentence; its beginning if it is too long; None if there is nothing in it."""
    sentence = model.tokenizer.sentence(text)
    n_tokens, max_tokens = len(sentence.tokens), model.card.max_tokens
    if sentence.is_blank:
        problems.append(
            Problem(
                "text",
                "There is no word here yet. Type a sentence, and its maps appear.",
                fix_label="Go back to the sentence of the lesson",
            )
        )
        return None
    if n_tokens > max_tokens:
        excess = "1 token" if n_tokens == max_tokens + 1 else f"{n_tokens - max_tokens} tokens"
        problems.append(
            Problem(
                "text",
                f"This is {excess} too long: it has {n_tokens} tokens, and {model.card.id} reads at"
                f" most {max_tokens}. Nothing was computed and nothing was lost;"
                " shorten it as you like.",
                (f"1 to {max_tokens} tokens",),
                f"Keep the first {max_tokens} tokens",
            )
        )
        return truncate_to_model(text, model)
    return sentence
