"""`/assign`: for teachers. Make a link with parameters fixed and a note; verify class codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from app.lesson import Lesson, Step
from app.models import Model
from app.web.cache_control import NO_STORE, PRIVATE
from app.web.context import AppContext
from app.web.htmx import VARY_REQUEST_TYPE, htmx_details
from app.web.rendering.step_context import step_context
from app.web.state.assignments import MAX_NOTE_LENGTH, Assignment, Receipt, RequestedAssignment
from app.web.state.links import origin_of, path_of
from app.web.state.requested_view import RequestedView, lab_of, requested_view
from app.web.state.versions import VERSION_PARAM

FORM_FIELDS = ("text", "model", "layer", "head", "word", "show", "reveal")
"""Parameters that the form has a field for, and that an assignment can fix in every lab."""

FIXABLE_NAMES = {
    "text": "sentence",
    "show": "view of the heads",
    "reveal": "when the answer appears",
    "hide": "special tokens",
    "open": "what is open under the maps",
    "stage": "stage of the scores",
    "off": "heads that are off",
    "groups": "sets of keys and values",
    "causal": "causal mask",
    "unscaled": "division of the scores",
    "weighted": "weighting of the maps",
    "shuffled": "order of the words",
}
"""What the form calls the parameters whose own names say little."""

NEVER_FIXABLE = ("cell", "minus", "text2", "model2")
"""Controls that learners can always use."""

MAX_RECEIPTS = 500
"""Receipts that are verified at once."""


@dataclass(frozen=True)
class AssignableStep:
    """A step that can be assigned, and the value of its option in the form."""

    value: str
    lesson: Lesson
    step: Step


@dataclass(frozen=True)
class AssignmentForm:
    """What the form of `/assign` shows.

    steps, models: the options of the menus.
    values: the submitted fields, "" where the step's default applies.
    fixable, fixed: parameters that can be fixed, and those that are.
    carried_controls: controls that came with a link from the lab and have no field.
    version: the lesson version that came with the link.
    url: the assignment's path and query.
    names: words for parameters that can be fixed.
    """

    steps: Sequence[AssignableStep]
    models: Sequence[Model]
    values: Mapping[str, str]
    fixable: tuple[str, ...]
    fixed: tuple[str, ...]
    carried_controls: Mapping[str, str]
    version: str | None
    note: str
    is_signed: bool
    url: str
    max_note_length: int = MAX_NOTE_LENGTH
    names: Mapping[str, str] = field(default_factory=lambda: FIXABLE_NAMES)


@dataclass(frozen=True)
class ReceiptsForm:
    """What the form of `/assign/codes` shows: the submitted lines, and the first `MAX_RECEIPTS` of
    them verified.
    """

    lines: str
    n_submitted: int
    receipts: Sequence[Receipt]
    is_signed: bool


def router(app_context: AppContext) -> APIRouter:
    """Return the routes below `/assign`."""
    steps = [
        AssignableStep(path_of(lesson, step), lesson, step)
        for lesson in app_context.lessons
        for step in lesson.steps
    ]

    async def assign(request: Request) -> Response:
        params = request.query_params
        chosen = next((each for each in steps if each.value == params.get("step")), steps[0])
        query = _view_query(params, chosen)
        requested = requested_view(
            query, chosen.lesson, chosen.step, app_context.models, app_context.signer
        )
        form = _assignment_form(params, query, requested, app_context, steps)
        page = step_context(requested, app_context, origin_of(request))
        is_partial = htmx_details(request).is_partial
        return app_context.templates.response(
            request,
            "parts/assigned.html" if is_partial else "assign.html",
            vars(page) | {"assign": form},
            headers={"Vary": VARY_REQUEST_TYPE},
        )

    async def codes(request: Request) -> Response:
        lines = await _submitted_lines(request)
        submitted = [line for line in lines.splitlines() if line.strip()]
        form = ReceiptsForm(
            lines=lines,
            n_submitted=len(submitted),
            receipts=[app_context.signer.verify_receipt(line) for line in submitted[:MAX_RECEIPTS]],
            is_signed=app_context.signer.is_enabled,
        )
        return app_context.templates.response(
            request, "codes.html", {"codes": form}, headers=_codes_cache_headers(request)
        )

    routes = APIRouter(include_in_schema=False)
    routes.add_route("/assign", assign)
    routes.add_route("/assign/codes", codes, methods=["GET", "POST"])
    return routes


async def _submitted_lines(request: Request) -> str:
    """Return the submitted receipts, from the body of a POST or from the query."""
    if request.method != "POST":
        return request.query_params.get("lines", "")
    form = parse_qs((await request.body()).decode(errors="replace"))
    return form.get("lines", [""])[0]


def _codes_cache_headers(request: Request) -> dict[str, str]:
    """Return cache headers that keep the names of learners out of shared caches."""
    if request.method == "POST":
        return {"Cache-Control": NO_STORE}
    return {"Cache-Control": PRIVATE} if request.query_params.get("lines") else {}


def _view_query(params: QueryParams, chosen: AssignableStep) -> dict[str, str]:
    """Return the query of the view to assign; the step's defaults apply to empty fields."""
    names = (*FORM_FIELDS, *lab_of(chosen.step).controls)
    query = {name: params[name] for name in names if params.get(name)}
    if (version := params.get(VERSION_PARAM, "")) in chosen.lesson.versions:
        query[VERSION_PARAM] = version
    return query


def _assignment_form(
    params: QueryParams,
    query: Mapping[str, str],
    requested: RequestedView,
    app_context: AppContext,
    steps: Sequence[AssignableStep],
) -> AssignmentForm:
    lab_controls = requested.lab.controls
    other_controls = [name for name in lab_controls if name not in FORM_FIELDS]
    fixable = (*FORM_FIELDS, *(name for name in other_controls if name not in NEVER_FIXABLE))
    fixed = tuple(name for name in fixable if name in params.getlist("fixed"))
    # Forms send a line break as two characters; the field's `maxlength` counts it as one.
    note = params.get("note", "").replace("\r\n", "\n").strip()[:MAX_NOTE_LENGTH]
    return AssignmentForm(
        steps=steps,
        models=list(app_context.models),
        values={name: params.get(name, "") for name in FORM_FIELDS},
        fixable=fixable,
        fixed=fixed,
        carried_controls={name: query[name] for name in other_controls if name in query},
        version=query.get(VERSION_PARAM),
        note=note,
        is_signed=app_context.signer.is_enabled,
        url=_assignment_url(requested, fixed, note, app_context),
    )


def _assignment_url(
    requested: RequestedView, fixed: tuple[str, ...], note: str, app_context: AppContext
) -> str:
    """Return the view's URL with the assignment; without one if nothing is fixed or noted."""
    links = requested.links
    if not (fixed or note):
        return links.url
    assignment = Assignment(links.path, links.explicit_query, fixed, note)
    token = app_context.signer.encode_assignment(assignment)
    return replace(links, suffix=RequestedAssignment(token).query_suffix).url
