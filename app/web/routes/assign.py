"""`/assign`: for those who teach. A link with some of its view fixed, and the codes of a class."""

from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.lesson import Lesson, Step
from app.web.cache_control import NO_STORE, PRIVATE
from app.web.context import AppContext, path_of
from app.web.htmx import VARY_REQUEST_TYPE, htmx_details
from app.web.routes.step import StepRequest
from app.web.state.assignments import MAX_NOTE_LENGTH, Assignment
from app.web.state.view import VERSION_PARAM

FIXABLE_PARAMS = ("text", "model", "layer", "head", "word", "show")
"""What of a view an assignment can fix, beside the controls of the step's lab."""

FORM_FIELDS = ("text", "model", "layer", "head", "word", "show")
NEVER_FIXABLE = ("cell", "minus", "lock")
"""What learners may always look at."""

MAX_LINES = 500


@dataclass(frozen=True)
class AssignableStep:
    """A step that can be assigned, by the value that the form sends."""

    value: str
    lesson: Lesson
    step: Step


def routes(app_context: AppContext) -> list[BaseRoute]:
    assignable_steps = [
        AssignableStep(path_of(lesson, step), lesson, step)
        for lesson in app_context.lessons
        for step in lesson.steps
    ]

    async def assign(request: Request) -> Response:
        partial = htmx_details(request).is_partial
        context = _assign_context(app_context, assignable_steps, request)
        template = "parts/assigned.html" if partial else "assign.html"
        return app_context.templates.response(
            request, template, context, headers={"Vary": VARY_REQUEST_TYPE}
        )

    async def codes(request: Request) -> Response:
        lines = await _submitted_lines(request)
        handed_in = [line for line in lines.splitlines() if line.strip()]
        context: dict[str, object] = {
            "lines": lines,
            "n_handed_in": len(handed_in),
            "receipts": [app_context.signer.verify_receipt(line) for line in handed_in[:MAX_LINES]],
            "signs": app_context.signer.is_enabled,
        }
        return app_context.templates.response(
            request, "codes.html", context, headers=_codes_cache_headers(request)
        )

    return [
        Route("/assign", assign),
        Route("/assign/codes", codes, methods=["GET", "POST"]),
    ]


async def _submitted_lines(request: Request) -> str:
    """The lines of a class are too long for an address, so the form posts; links may name some."""
    if request.method != "POST":
        return request.query_params.get("lines", "")
    form = parse_qs((await request.body()).decode(errors="replace"))
    return form.get("lines", [""])[0]


def _codes_cache_headers(request: Request) -> dict[str, str]:
    """The lines have the names of a class in them."""
    if request.method == "POST":
        return {"Cache-Control": NO_STORE}
    return {"Cache-Control": PRIVATE} if request.query_params.get("lines") else {}


def _assign_context(
    app_context: AppContext, assignable_steps: list[AssignableStep], request: Request
) -> dict[str, object]:
    form = request.query_params
    chosen = next(
        (each for each in assignable_steps if each.value == form.get("step")), assignable_steps[0]
    )
    # What is left empty is as the step has it.
    lab_controls = app_context.lab_of(chosen.step).controls
    query = {name: form[name] for name in (*FORM_FIELDS, *lab_controls) if form.get(name)}
    if (version := form.get(VERSION_PARAM, "")) in chosen.lesson.versions:
        query[VERSION_PARAM] = version
    step_request = StepRequest(app_context, chosen.lesson, chosen.step, request, query)
    fixable = (
        *FIXABLE_PARAMS,
        *(name for name in lab_controls if name not in (*FIXABLE_PARAMS, *NEVER_FIXABLE)),
    )
    fixed = tuple(name for name in fixable if name in form.getlist("fixed"))
    # As the field counts: the end of a line is one letter.
    note = form.get("note", "").replace("\r\n", "\n").strip()[:MAX_NOTE_LENGTH]
    assignment = Assignment(step_request.path, step_request.explicit_query, fixed, note)
    step_request.requested_assignment.token = (
        app_context.signer.encode_assignment(assignment) if fixed or note else ""
    )
    return step_request.context() | {
        "choices": assignable_steps,
        "chosen": chosen,
        "form": {name: form.get(name, "") for name in FORM_FIELDS},
        "fixable": fixable,
        # What a view from a lab brought along and the form has no field for.
        "brought": {
            name: query[name] for name in lab_controls if name in query and name not in FORM_FIELDS
        },
        "asked_version": query.get(VERSION_PARAM),
        "wanted": fixed,
        "note": note,
        "longest_note": MAX_NOTE_LENGTH,
        "signs": app_context.signer.is_enabled,
        "assigned": step_request.url,
        "all_models": list(app_context.models),
    }
