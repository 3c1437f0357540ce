"""The lab's form: which fields it sends, and the view that a submitted form asks for.

Sentence, controls, prediction and check are fields and buttons of one form. It submits the shown
view in hidden fields, the values before the edit as `was_*`, and the pressed button. An edit means:

- The pressed button wins over the hidden field of the same name (the last value of a name counts).
  The fields of the shown view come before every button of the lab. Buttons of the prediction and of
  the check may come before them: what these two would change is in `was_check` and `was_reveal`.
- `commit` answers the prediction. `at` selects a layer and a head, as "1.2".
- `model` is sent only if the model was chosen by hand. Empty, it brings back the model, layer and
  head of the step.
- When the sentence changes, the same word goes on asking if it is still there, else the longest.
- A prediction is dropped if anything it depends on differs from its `was_*` field.
- A cell is dropped if the tokens that maps show changed, since it is counted in tokens.
- A pressed cell opens its explanation, a head to compare with opens the comparison. Closing a panel
  ends both.
- Values that no longer fit are clamped silently; only the sentence itself can be refused.
- Parameters that an assignment fixes keep their value, whatever the form sends.

Docs: docs/decisions/one-form.md.
"""

from collections.abc import Mapping, Sequence

from app.lesson import CONTROLS, PREDICTIONS
from app.lesson.asking_word import longest_word, word_after_edit
from app.lesson.schema import Prediction
from app.models import Model, Registry, sanitise_text
from app.web.state.query_params import Problem, parse_whole_number
from app.web.state.versions import VERSION_PARAM, PinnedVersion
from app.web.state.view import SELECTION_PARAMS, ParsedView, ViewState

EDIT_FLAG = "edit"
"""Field that marks a submitted form, as opposed to a link."""

PREVIOUS_PREFIX = "was_"
"""Prefix of the fields that hold values as they were before the edit."""

NOT_ADJUSTABLE = ("text", "model", VERSION_PARAM)
"""Fixed parameters that are reported if they cannot be used: a page with another sentence or model
would mislead.
"""

COUNTED_IN_SENTENCE = ("word", "cell", "minus", "predict")
"""Parameters whose values fit one sentence."""

MAX_LAYER_BUTTONS = 12
"""Layers of a deeper model are a menu instead of buttons."""

PRESSED_ANYWHERE = ("check", "reveal")
"""Parameters with buttons that may come before the hidden fields: those have `PREVIOUS_PREFIX`."""

VIEW_PARAMS = (*SELECTION_PARAMS, *CONTROLS, "predict", VERSION_PARAM)


def normalise_form(
    form: Mapping[str, str], prediction: Prediction, models: Registry, version: PinnedVersion
) -> dict[str, str]:
    """Return the query of the view that a submitted form asks for; see the module's rules."""
    query = {name: form[name] for name in VIEW_PARAMS if name in form}
    query |= _pressed_or_previous(form)
    if query.get("model") == "":
        del query["model"]
        defaults = version.defaults
        query |= {"layer": str(defaults.layer), "head": str(defaults.head)}
    if "at" in form:
        layer, _, head = form["at"].partition(".")
        query |= {"layer": layer, "head": head}
    own_model = version.defaults.model
    previous_model, model = (
        models[name if name in models else own_model]
        for name in (_previous(form, "model"), query.get("model", ""))
    )
    query |= _word_after_edit(query, form, model, version)
    same_tokens = previous_model.tokenizer.same_tokens_as(model.tokenizer)
    if _previous(form, "hide") != form.get("hide", "") or not same_tokens:
        query.pop("cell", None)
    query = _with_panel(query, form)
    previous_predicted, predicted = (
        models.model_for_prediction(prediction.model, each) for each in (previous_model, model)
    )
    prediction_type = PREDICTIONS[prediction.computed_by]
    depends_on = [name for name in prediction_type.depends_on if name != "model"]
    asks_another = predicted is not previous_predicted and not prediction_type.compares_models
    if asks_another or any(_changes(query, form, name) for name in depends_on):
        query.pop("predict", None)
    elif "commit" in form:
        query["predict"] = form["commit"]
    return query


def _previous(form: Mapping[str, str], name: str) -> str:
    """Return a value as it was before the edit, "" if it was not used."""
    return form.get(f"{PREVIOUS_PREFIX}{name}", "")


def _pressed_or_previous(form: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of `PRESSED_ANYWHERE` that are used."""
    values = {name: form.get(name, _previous(form, name)) for name in PRESSED_ANYWHERE}
    if form.get("reveal") == "":
        values["reveal"] = "0"
    return {name: value for name, value in values.items() if value}


def _word_after_edit(
    query: Mapping[str, str], form: Mapping[str, str], model: Model, version: PinnedVersion
) -> dict[str, str]:
    """Return the word that asks, if another sentence was submitted than the one shown."""
    typed_text, previous_text = sanitise_text(query.get("text", "")), form.get("was_text")
    word = parse_whole_number(query.get("word", ""))
    if previous_text is None or word is None or sanitise_text(previous_text) == typed_text:
        return {}
    sentence = model.tokenizer.sentence(typed_text)
    if sentence.is_blank:
        return {}
    previous = model.tokenizer.sentence(previous_text)
    is_default = typed_text == version.defaults.text
    default_word = version.defaults.word if is_default else longest_word(sentence)
    return {"word": str(word_after_edit(previous, word, sentence, default_word))}


def _with_panel(query: Mapping[str, str], form: Mapping[str, str]) -> dict[str, str]:
    """Return the query with the panel that is open after the press."""
    if query.get("open") == "":
        closed = ("open", "cell", "minus")
        return {name: value for name, value in query.items() if name not in closed}
    for name, panel in (("cell", "explain"), ("minus", "compare")):
        if query.get(name) and query[name] != _previous(form, name):
            return {**query, "open": panel}
    return dict(query)


def _changes(query: Mapping[str, str], form: Mapping[str, str], name: str) -> bool:
    """Return whether a form changes a value; `query` has the values after the press."""
    value = query.get(name)
    if name == "text":
        # The field may hold characters that a view replaces, such as a tab.
        value = sanitise_text(value or "")
    return form.get(f"{PREVIOUS_PREFIX}{name}") != value


def hidden_fields(view: ViewState, extra: dict[str, str], *, has_lab: bool) -> dict[str, str]:
    """Return the fields that submit the shown view, without those that have a menu or text field.

    The model is left out unless it was chosen by hand: the step owns it.

    extra: what else a submit keeps: the assignment, the frame and the version.
    has_lab: the lab can be shown, and with it the panel that is open.
    """
    visible_fields = {"text", *PRESSED_ANYWHERE}
    if not view.has_chosen_model:
        visible_fields.add("model")
    panel = view.controls.panel if has_lab else ""
    if panel == "compare":
        visible_fields.add("minus")
    if panel == "beside":
        visible_fields |= {"text2", "model2"}
    if panel == "change" and view.model.card.n_layers > MAX_LAYER_BUTTONS:
        visible_fields.add("layer")
    params = view.query_params | extra
    return {name: value for name, value in params.items() if name not in visible_fields}


def previous_selection(parsed: ParsedView) -> dict[str, str]:
    """Return the `was_*` fields of sentence, model, layer, head and word."""
    params = parsed.view.query_params | {"text": parsed.typed_text}
    return {f"{PREVIOUS_PREFIX}{name}": params[name] for name in SELECTION_PARAMS}


def previous_controls(view: ViewState) -> dict[str, str]:
    """Return the `was_*` fields of other values by which an edit is understood."""
    params = view.query_params
    names = ("hide", "cell", "minus", *PRESSED_ANYWHERE)
    return {f"{PREVIOUS_PREFIX}{name}": params.get(name, "") for name in names}


def without_fixed(problems: Sequence[Problem], fixed: Sequence[str]) -> tuple[Problem, ...]:
    """Drop the problems of parameters that an assignment fixes: clamped values are used silently.

    Exceptions: `NOT_ADJUSTABLE`.
    """
    adjustable = {name for name in fixed if name not in NOT_ADJUSTABLE}
    return tuple(problem for problem in problems if problem.name not in adjustable)


def without_consequences(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Drop the problems of values that were counted in a sentence that is itself refused."""
    if not any(problem.name == "text" for problem in problems):
        return tuple(problems)
    return tuple(problem for problem in problems if problem.name not in COUNTED_IN_SENTENCE)


def is_refused(parsed: ParsedView, *, is_edit: bool) -> bool:
    """Return whether a view cannot be shown: a link with any problem, a form with its sentence."""
    return bool(parsed.text_problem if is_edit else parsed.problems)
