"""The lab's form: which fields it sends, and the view that a submitted form asks for.

Sentence, controls, prediction and check are fields and buttons of one form. It submits the shown
view in hidden fields, the values before the edit as `was_*`, and the pressed button. An edit means:

- The pressed button wins over the hidden field of the same name (the last value of a name counts).
- `commit` answers the prediction, and selects the model that the prediction is about.
- `focus` selects a head and keeps it in view; `at` selects a layer and a head, as "1.2".
- A prediction is dropped if anything it depends on differs from its `was_*` field.
- A cell is dropped if the tokens that maps show changed, since it is counted in tokens.
- Values that no longer fit are clamped silently; only the sentence itself can be refused.
- Parameters that an assignment fixes keep their value, whatever the form sends.

Docs: docs/decisions/one-form.md.
"""

from collections.abc import Mapping, Sequence

from app.lesson import CONTROLS, PREDICTIONS
from app.lesson.schema import Prediction
from app.models import Model, Registry, sanitise_text
from app.web.state.controls import serialise_controls
from app.web.state.query_params import Problem
from app.web.state.versions import VERSION_PARAM
from app.web.state.view import SELECTION_PARAMS, ParsedView, ViewState

EDIT_FLAG = "edit"
"""Field that marks a submitted form, as opposed to a link."""

PREVIOUS_PREFIX = "was_"
"""Prefix of the fields that hold values as they were before the edit."""

NOT_ADJUSTABLE = ("text", "model", VERSION_PARAM)
"""Fixed parameters that are reported if they cannot be used: a page with another sentence or model
would mislead.
"""

MAX_LAYER_BUTTONS = 12
"""Layers of a deeper model are a menu instead of buttons."""

VIEW_PARAMS = (*SELECTION_PARAMS, *CONTROLS, "predict", "check", "reveal", VERSION_PARAM)


def normalise_form(
    form: Mapping[str, str], prediction: Prediction, models: Registry, default_model: Model
) -> dict[str, str]:
    """Return the query of the view that a submitted form asks for; see the module's rules."""
    query = {name: form[name] for name in VIEW_PARAMS if name in form}
    if "at" in form:
        layer, _, head = form["at"].partition(".")
        query |= {"layer": layer, "head": head}
    if "focus" in form:
        query |= {"head": form["focus"], "lock": "1"}
    previous_model, model = (
        models[form[name]] if form.get(name) in models else default_model
        for name in (f"{PREVIOUS_PREFIX}model", "model")
    )
    same_tokens = previous_model.tokenizer.same_tokens_as(model.tokenizer)
    if form.get(f"{PREVIOUS_PREFIX}hide", "") != form.get("hide", "") or not same_tokens:
        query.pop("cell", None)
    previous_predicted, predicted = (
        models.model_for_prediction(prediction.model, each) for each in (previous_model, model)
    )
    prediction_type = PREDICTIONS[prediction.computed_by]
    asks_another = predicted is not previous_predicted and not prediction_type.compares_models
    if asks_another or any(_changes(query, form, name) for name in prediction_type.depends_on):
        query.pop("predict", None)
    elif "commit" in form:
        query["predict"] = form["commit"]
        if predicted is not model:
            query["model"] = predicted.card.id
    return query


def _changes(query: Mapping[str, str], form: Mapping[str, str], name: str) -> bool:
    """Return whether a form changes a value; `query` has the values after the press."""
    value = query.get(name)
    if name == "text":
        # The field may hold characters that a view replaces, such as a tab.
        value = sanitise_text(value or "")
    return form.get(f"{PREVIOUS_PREFIX}{name}") != value


def hidden_fields(
    view: ViewState, extra: dict[str, str], *, has_compare_menu: bool
) -> dict[str, str]:
    """Return the fields that submit the shown view, without those that have a menu or text field.

    `extra` is what else a submit keeps: the assignment, the frame and the version.
    """
    visible_fields = {"text"}
    if has_compare_menu:
        visible_fields.add("minus")
    if view.model.card.n_layers > MAX_LAYER_BUTTONS:
        visible_fields.add("layer")
    params = view.query_params | extra
    return {name: value for name, value in params.items() if name not in visible_fields}


def previous_selection(parsed: ParsedView) -> dict[str, str]:
    """Return the `was_*` fields of sentence, model, layer, head and word."""
    params = parsed.view.query_params | {"text": parsed.typed_text}
    return {f"{PREVIOUS_PREFIX}{name}": params[name] for name in SELECTION_PARAMS}


def previous_controls(view: ViewState) -> dict[str, str]:
    """Return the `was_*` field of the control that changes which tokens maps show."""
    hide = serialise_controls(view.controls).get("hide", "")
    return {f"{PREVIOUS_PREFIX}hide": hide}


def without_fixed(problems: Sequence[Problem], fixed: Sequence[str]) -> tuple[Problem, ...]:
    """Drop the problems of parameters that an assignment fixes: clamped values are used silently.

    Exceptions: `NOT_ADJUSTABLE`.
    """
    adjustable = {name for name in fixed if name not in NOT_ADJUSTABLE}
    return tuple(problem for problem in problems if problem.name not in adjustable)


def is_refused(parsed: ParsedView, *, is_edit: bool) -> bool:
    """Return whether a view cannot be shown: a link with any problem, a form with its sentence."""
    return bool(parsed.text_problem if is_edit else parsed.problems)
