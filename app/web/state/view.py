"""The view state: what a learner looks at, as an address says it. The one place that knows the
names in the query.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from app.lesson import CONTROLS, Controls, Defaults, Lesson, Step
from app.models import Model, Registry, Sentence, UnknownModelError, tidy
from app.models.registry import named
from app.web.state.controls import Around, controls_values, read_controls
from app.web.state.query_params import Problem, quoted, read_choice, read_index

NO_CONTROLS = Controls()


@dataclass(frozen=True)
class View:
    """One exact view of a step; layers, heads and words count from 0.

    `predict` and `check` are the learner's answers, None while there is none.
    """

    text: str
    model: str
    layer: int
    head: int
    word: int
    controls: Controls = NO_CONTROLS
    predict: str | None = None
    check: str | None = None

    def values(self) -> dict[str, str]:
        """What the address of this view holds, in canonical order; a control that is not used is
        left out.
        """
        always = {name: str(getattr(self, name)) for name in CHOSEN}
        answers = {"predict": self.predict, "check": self.check}
        given = {name: value for name, value in answers.items() if value is not None}
        return always | controls_values(self.controls) | given

    def but(self, **changes: object) -> "View":
        return replace(self, **changes)  # type: ignore[arg-type]

    def changed(self, **changes: object) -> str:
        """The address's value of one control after a change: what its button sends."""
        (name,) = changes
        controls = replace(self.controls, **changes)  # type: ignore[arg-type]
        return controls_values(controls).get(name, "")

    def without_or_with(self, layer: int, head: int) -> str:
        """The value of `off` after a press on a head's switch."""
        return self.changed(off=self.controls.off ^ {(layer, head)})


CHOSEN = ("text", "model", "layer", "head", "word")

VERSION = "v"
"""In an address: the version of the lesson whose defaults it leaves unsaid."""


def link(view: View, defaults: Defaults, models: Registry, version: str | None) -> str:
    """The shortest query that opens this view, in canonical order.

    What the version's defaults say is left out; without a version nothing is, so that a link opens
    the same whatever the defaults become.
    """
    values = view.values()
    if version is None:
        return urlencode(values)
    card = models[view.model].card
    usual = {
        "text": defaults.text,
        "model": defaults.model,
        "layer": str(min(defaults.layer, card.n_layers - 1)),
        "head": str(min(defaults.head, card.n_heads - 1)),
        "word": str(defaults.word if view.text == defaults.text else 0),
    }
    said = {name: value for name, value in values.items() if usual.get(name) != value}
    return urlencode(said | {VERSION: version})


@dataclass(frozen=True)
class Pin:
    """The version that an address names, the defaults that it has, and what is no longer as it was.

    Without `version`, addresses say everything.
    """

    version: str | None
    defaults: Defaults
    problem: Problem | None = None
    weights_then: Mapping[str, str] = field(default_factory=dict)

    def changed(self, model: Model) -> bool:
        """Whether the model's weights are others than those of this version."""
        then = self.weights_then.get(model.card.id)
        return then is not None and then != model.weights_sha256


def pinned(query: Mapping[str, str], lesson: Lesson, step: Step) -> Pin:
    now = lesson.facts.version
    asked = query.get(VERSION, now)
    if asked is None or (VERSION in query and asked not in lesson.versions):
        problem = None
        if asked is not None:
            known = named([*lesson.versions]) if lesson.versions else "none"
            message = f"This link is of version “{quoted(asked)}” of the lesson. There is {known}."
            problem = Problem(VERSION, message, tuple(lesson.versions))
        return Pin(now, step.facts.defaults, problem)
    release = lesson.versions.get(asked)
    if release is None:
        return Pin(None, step.facts.defaults)
    return Pin(asked, release.steps.get(step.slug, step.facts.defaults), None, release.models)


@dataclass(frozen=True)
class Reading:
    """What an address asks for. With problems, `view` is the nearest view that works.

    `typed` is the text as it came, whether it can be shown or not.
    """

    typed: str
    view: View
    model: Model
    sentence: Sentence
    problems: tuple[Problem, ...]

    @property
    def text_problem(self) -> Problem | None:
        return next((problem for problem in self.problems if problem.name == "text"), None)


def settled(
    form: Mapping[str, str], predicted_model: str | None, about: Sequence[str]
) -> dict[str, str]:
    """What the lab's form sends, as an address would say it.

    A prediction holds for what of the view it is `about`, which the form sends along as `was_…`;
    of anything else it is dropped. Committing to one chooses the model that it asks, if that is a
    certain one. `focus` is a head that was pressed on among others: it is chosen, and stays in
    view; `at` is one among those of every layer, as layer.head.
    """
    names = (*CHOSEN, *CONTROLS, "predict", "check", VERSION)
    query = {name: form[name] for name in names if name in form}
    # The field may hold what a view cannot: a tab, say, which `was_text` no longer has.
    now = {**form, "text": tidy(form.get("text", ""))}
    if "at" in form:
        layer, _, head = form["at"].partition(".")
        query |= {"layer": layer, "head": head}
    if "focus" in form:
        query |= {"head": form["focus"], "lock": "1"}
    if form.get("was_hide", "") != form.get("hide", ""):
        # A cell is counted in the tokens that are shown.
        query.pop("cell", None)
    if any(form.get(f"was_{name}") != now.get(name) for name in about):
        query.pop("predict", None)
    elif "commit" in form:
        query["predict"] = form["commit"]
        if predicted_model:
            query["model"] = predicted_model
    return query


@dataclass(frozen=True)
class Allowed:
    """What a step lets an address say: the answers that can be predicted for a view, the options of
    its check, the controls that its lab has, and the ways in which that shows heads.
    """

    predictions: Callable[[Sentence, View], Sequence[str]]
    checks: Sequence[str]
    controls: Sequence[str] = ()
    shows: Sequence[str] = ()


def read_view(
    query: Mapping[str, str],
    pin: Pin,
    models: Registry,
    allowed: Allowed,
) -> Reading:
    """Reads every name of the query, falling back on the version's defaults where one is absent.

    Names that no view has are passed over.
    """
    problems = list(filter(None, [pin.problem]))
    defaults = pin.defaults
    typed = tidy(query.get("text", defaults.text))
    model = read_model(query.get("model", defaults.model), models, models[defaults.model], problems)
    sentence = read_sentence(typed, model, problems)
    if sentence is None:
        sentence = fitting(defaults.text, model)
        query = {name: value for name, value in query.items() if name != "word"}
    word = defaults.word if sentence.text == defaults.text else 0
    hides = query.get("hide") == "1" and "hide" in allowed.controls
    n_words = len(sentence.plain_words if hides else sentence.words)
    view = View(
        text=sentence.text,
        model=model.card.id,
        layer=read_index("layer", query, defaults.layer, model.card.n_layers, problems),
        head=read_index("head", query, defaults.head, model.card.n_heads, problems),
        word=read_index("word", query, word, n_words, problems),
    )
    given = {name: query[name] for name in allowed.controls if query.get(name)}
    around = Around(model, sentence, models, allowed.shows, hides, problems)
    view = view.but(controls=read_controls(given, around))
    if "predict" in query:
        choices = allowed.predictions(sentence, view)
        view = view.but(predict=read_choice("predict", query["predict"], choices, problems))
    if "check" in query:
        view = view.but(check=read_choice("check", query["check"], allowed.checks, problems))
    return Reading(typed, view, model, sentence, tuple(problems))


def fitting(text: str, model: Model) -> Sentence:
    """The text, or as much of its beginning as the model reads."""
    sentence = model.tokenizer.sentence(text)
    return model.tokenizer.sentence(sentence.start(model.card.max_tokens))


def read_model(name: str, models: Registry, nearest: Model, problems: list[Problem]) -> Model:
    try:
        return models[name]
    except UnknownModelError as error:
        problems.append(
            Problem(
                "model", str(UnknownModelError(quoted(name), error.available)), tuple(models.ids)
            )
        )
        return nearest


def read_sentence(typed: str, model: Model, problems: list[Problem]) -> Sentence | None:
    """The sentence; its beginning if it is too long; None if there is nothing in it."""
    sentence = model.tokenizer.sentence(typed)
    n, most = len(sentence.tokens), model.card.max_tokens
    if sentence.is_blank:
        problems.append(
            Problem(
                "text",
                "There is no word here yet. Type a sentence, and its maps appear.",
                remedy="Go back to the sentence of the lesson",
            )
        )
        return None
    if n > most:
        too_many = "1 token" if n == most + 1 else f"{n - most} tokens"
        problems.append(
            Problem(
                "text",
                f"This is {too_many} too long: it has {n} tokens, and {model.card.id} reads at"
                f" most {most}. Nothing was computed and nothing was lost; shorten it as you like.",
                (f"1 to {most} tokens",),
                f"Keep the first {most} tokens",
            )
        )
        return fitting(typed, model)
    return sentence
