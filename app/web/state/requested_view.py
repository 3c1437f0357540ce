"""The view of a step that a request asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

from app.evaluation.registry import EvaluatedRegistry
from app.lesson import LABS, Lab, LabState, Lesson, Step
from app.web.state.assignments import ASSIGNMENT_PARAM, RequestedAssignment, Signer
from app.web.state.form import (
    EDIT_FLAG,
    is_refused,
    normalise_form,
    without_consequences,
    without_fixed,
)
from app.web.state.links import EMBED_PARAM, PLAYGROUND_PARAM, ViewLinks, carried_params, path_of
from app.web.state.step_prediction import StepPrediction
from app.web.state.versions import PinnedVersion, resolve_version
from app.web.state.view import ParsedView, ViewState, parse_answers, parse_view


@dataclass(frozen=True)
class RequestedView:
    """A step's view as the query of a link or a submitted form (`is_edit`) asks for it.

    `query` is the query with the assignment's fixed parameters.
    """

    lesson: Lesson
    step: Step
    models: EvaluatedRegistry
    query: Mapping[str, str]
    is_edit: bool
    is_embedded: bool
    is_playground: bool
    assignment: RequestedAssignment
    version: PinnedVersion
    parsed: ParsedView
    prediction: StepPrediction

    @property
    def view(self) -> ViewState:
        """The view; where the request is refused the nearest one that can be shown."""
        return self.parsed.view

    @property
    def is_refused(self) -> bool:
        return is_refused(self.parsed, is_edit=self.is_edit)

    @property
    def is_revealed(self) -> bool:
        """Whether the page shows the answer of the prediction, if there is one."""
        is_shown = self.view.is_revealed or self.is_playground
        return is_shown and bool(self.prediction.question.choices)

    @property
    def lab(self) -> Lab:
        return lab_of(self.step)

    @cached_property
    def lab_state(self) -> LabState:
        options, controls = self.step.config.lab.options, self.view.controls
        marks = self.prediction.answer.marks if self.is_revealed else ()
        # Without a question there is nothing to hide.
        is_revealed = self.is_revealed or not self.prediction.question.choices
        if not is_revealed:
            # Pooled maps answer the question of the only lab that has them.
            controls = replace(controls, groups=0)
        return LabState(self.view.selection, self.models, options, controls, is_revealed, marks)

    @property
    def complete_lab_state(self) -> LabState:
        """The state of the lab with everything shown, as programs get it."""
        return replace(self.lab_state, controls=self.view.controls, is_revealed=True)

    @property
    def _suffix(self) -> str:
        """What every link to a view keeps: the assignment, the frame and the playground."""
        embed_suffix = f"&{EMBED_PARAM}=1" if self.is_embedded else ""
        playground_suffix = f"&{PLAYGROUND_PARAM}=1" if self.is_playground else ""
        return f"{self.assignment.query_suffix}{embed_suffix}{playground_suffix}"

    @cached_property
    def links(self) -> ViewLinks:
        path = path_of(self.lesson, self.step)
        return ViewLinks(path, self.parsed, self.version, self._suffix)

    def revealed(self, *, is_revealed: bool) -> "RequestedView":
        """Return the same view with the answer shown or not, without one of the learner's.

        The playground, which shows all answers, becomes the page of the step.
        """
        view = self.view.replace(reveal=is_revealed, predict=None)
        return replace(self, parsed=replace(self.parsed, view=view), is_playground=False)

    def query_for(self, step: Step) -> str:
        """Return what links to another step carry along, with its "?", or "".

        Parameters that the assignment fixes stay with its step.
        """
        target = resolve_version({}, self.lesson, step)
        carried = carried_params(self.view, self.version, target)
        free = {name: carried[name] for name in carried if name not in self.assignment.fixed}
        query = f"{urlencode(free)}{self._suffix}".removeprefix("&")
        return f"?{query}" if query else ""


def requested_view(
    query: Mapping[str, str], lesson: Lesson, step: Step, models: EvaluatedRegistry, signer: Signer
) -> RequestedView:
    """Return the view of a step that a query asks for, the values of its assignment applied."""
    assignment = signer.requested_assignment(query.get(ASSIGNMENT_PARAM, ""), path_of(lesson, step))
    # An assignment must not set these three.
    is_edit, is_embedded = EDIT_FLAG in query, query.get(EMBED_PARAM) == "1"
    is_playground = query.get(PLAYGROUND_PARAM) == "1" and not is_embedded
    query = view_query = assignment.apply_fixed(query)
    version = resolve_version(query, lesson, step)
    if is_edit:
        form_query = normalise_form(query, step.config.predict, models, version)
        view_query = assignment.apply_fixed(form_query)
    elif version.asked_otherwise and "reveal" not in query:
        # The answers in such a link are to the questions of then.
        outdated = {"predict"}
        if query.get("check") not in {option.id for option in step.config.check.options}:
            outdated.add("check")
        view_query = {name: value for name, value in query.items() if name not in outdated}
    parsed = parse_view(view_query, version, models, lab_of(step))
    prediction = StepPrediction(step.config.predict, parsed.view.selection, models)
    parsed = parse_answers(view_query, parsed, prediction, step.config.check)
    problems = without_consequences(without_fixed(parsed.problems, assignment.fixed))
    parsed = replace(parsed, problems=problems)
    return RequestedView(
        lesson,
        step,
        models,
        query,
        is_edit,
        is_embedded,
        is_playground,
        assignment,
        version,
        parsed,
        prediction,
    )


def lab_of(step: Step) -> Lab:
    return LABS[step.config.lab.name]
