"""View state: what a learner looks at, and how a query names it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from app.lesson import Controls, Lab
from app.lesson.schema import Check
from app.lesson.selection import HasSelection, Selection
from app.models import Card, Model, Registry, Sentence, UnknownModelError, sanitise_text
from app.web.state.controls import (
    ControlContext,
    implied_panel,
    parse_controls,
    serialise_controls,
)
from app.web.state.query_params import Problem, parse_choice, parse_index, quote_for_message
from app.web.state.step_prediction import StepPrediction
from app.web.state.versions import PinnedVersion

NO_CONTROLS = Controls()

NOTHING_TO_PREDICT = "The question of this step has no answer on this sentence."

OLD_OVERVIEW = "overview"
"""Layout in links of version 1: small maps of all heads, which are a panel now."""


@dataclass(frozen=True)
class ViewState(HasSelection):
    """One exact view of a step.

    predict, check: the learner's answers, None before an answer is given.
    reveal: shows the answer of the prediction without one.
    reveals_by_default: links of the version without `reveal` show it.
    has_chosen_model: the model was chosen by hand; if not, it is the step's own.
    """

    selection: Selection
    controls: Controls = NO_CONTROLS
    predict: str | None = None
    check: str | None = None
    reveal: bool = False
    reveals_by_default: bool = False
    has_chosen_model: bool = False

    @property
    def text(self) -> str:
        return self.sentence.text

    @property
    def model_id(self) -> str:
        return self.model.card.id

    @property
    def card(self) -> Card:
        return self.model.card

    @cached_property
    def query_params(self) -> dict[str, str]:
        """The query parameters of this view in canonical order, without unused controls."""
        selection = {
            "text": self.text,
            "model": self.model_id,
            "layer": str(self.layer),
            "head": str(self.head),
            "word": str(self.word),
        }
        answers = {"predict": self.predict, "check": self.check}
        committed = {name: value for name, value in answers.items() if value is not None}
        reveal = {"reveal": "1"} if self.reveal else {}
        if self.reveals_by_default and not self.reveal:
            reveal = {"reveal": "0"}
        return selection | serialise_controls(self.controls) | committed | reveal

    @property
    def is_revealed(self) -> bool:
        """Whether the learner may see what answers the step's question."""
        return self.reveal or self.predict is not None

    def replace(self, **changes: object) -> "ViewState":
        return replace(self, **changes)  # type: ignore[arg-type]

    def query_value_after(self, **changes: object) -> str:
        """Return the query value of one control after a change: the value of its button."""
        (name,) = changes
        controls = replace(self.controls, **changes)  # type: ignore[arg-type]
        return serialise_controls(controls).get(name, "")

    def toggled_head(self, layer: int, head: int) -> str:
        """Return the query value of `off` with one head switched on or off."""
        return self.query_value_after(off=self.controls.off ^ {(layer, head)})


SELECTION_PARAMS = ("text", "model", "layer", "head", "word")


@dataclass(frozen=True)
class ParsedView:
    """A parsed query. If there are problems, `view` is the nearest view that can be shown.

    `typed_text` is the submitted sentence, whether it can be shown or not.
    """

    typed_text: str
    view: ViewState
    problems: tuple[Problem, ...]

    @property
    def text_problem(self) -> Problem | None:
        return next((problem for problem in self.problems if problem.name == "text"), None)


def parse_view(
    query: Mapping[str, str], version: PinnedVersion, models: Registry, lab: Lab
) -> ParsedView:
    """Parse a query except for the learner's answers (see `parse_answers`).

    Missing parameters get the version's defaults; unknown ones and controls that the lab does not
    have are ignored. `model` means that the model was chosen by hand; empty is the step's own.
    """
    problems = list(filter(None, [version.problem]))
    defaults = version.defaults
    typed_text = sanitise_text(query.get("text", defaults.text))
    own_model, model_id = models[defaults.model], query.get("model", "")
    model = parse_model(model_id, models, own_model, problems) if model_id else own_model
    sentence = parse_sentence(typed_text, model, problems)
    if sentence is None:
        sentence = truncate_to_model(defaults.text, model)
        query = {name: value for name, value in query.items() if name != "word"}
    hides_special_tokens = query.get("hide") == "1" and "hide" in lab.controls
    n_words = len(sentence.content_words if hides_special_tokens else sentence.words)
    selection = Selection(
        sentence,
        model,
        layer=parse_index("layer", query, defaults.layer, model.card.n_layers, problems),
        head=parse_index("head", query, defaults.head, model.card.n_heads, problems),
        word=parse_index("word", query, version.default_word(sentence), n_words, problems),
    )
    raw_controls = {name: query[name] for name in lab.controls if query.get(name)}
    if raw_controls.get("show") == OLD_OVERVIEW:
        del raw_controls["show"]
        raw_controls.setdefault("open", "heads")
    context = ControlContext(model, sentence, models, lab.layouts, hides_special_tokens, problems)
    controls = parse_controls(raw_controls, context)
    if not controls.panel:
        controls = replace(controls, panel=implied_panel(controls))
    view = ViewState(
        selection,
        controls,
        reveal=parse_reveal(query, version, problems),
        reveals_by_default=version.asked_otherwise,
        has_chosen_model=model_id in models,
    )
    return ParsedView(typed_text, view, tuple(problems))


def parse_reveal(query: Mapping[str, str], version: PinnedVersion, problems: list[Problem]) -> bool:
    """Return whether the answer is shown without a prediction; an empty value means no."""
    if "reveal" not in query:
        return version.asked_otherwise
    return parse_choice("reveal", query["reveal"] or "0", ("0", "1"), problems) == "1"


def parse_answers(
    query: Mapping[str, str], parsed: ParsedView, prediction: StepPrediction, check: Check
) -> ParsedView:
    """Add the learner's answers to a parsed view, and a problem for each that does not exist."""
    if "predict" not in query and "check" not in query:
        return parsed
    problems = list(parsed.problems)
    answers: dict[str, str | None] = {}
    if "predict" in query:
        choices = prediction.question.choice_ids
        if choices:
            answers["predict"] = parse_choice("predict", query["predict"], choices, problems)
        else:
            problems.append(Problem("predict", NOTHING_TO_PREDICT))
    if "check" in query:
        choices = [option.id for option in check.options]
        answers["check"] = parse_choice("check", query["check"], choices, problems)
    return replace(parsed, view=parsed.view.replace(**answers), problems=tuple(problems))


def truncate_to_model(text: str, model: Model) -> Sentence:
    """Return the text as a sentence, cut to the model's maximum number of tokens."""
    sentence = model.tokenizer.sentence(text)
    return model.tokenizer.sentence(sentence.truncated_text(model.card.max_tokens))


def parse_model(model_id: str, models: Registry, fallback: Model, problems: list[Problem]) -> Model:
    """Return the model of this id; add a problem and return `fallback` if there is none."""
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
    """Return the text as a sentence; add a problem if it is too long (then it is cut) or blank
    (then None is returned).
    """
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
