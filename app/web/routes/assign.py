"""`/assign`: for those who teach. A link with some of its view fixed, and the codes of a class."""

from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.lesson import Lesson, Step
from app.web.context import Site, path_of
from app.web.htmx import VARY, htmx_of
from app.web.middleware.conditional_get import FLEETING, PERSONAL
from app.web.routes.step import StepPage
from app.web.state.assignments import LONGEST_NOTE, Assignment
from app.web.state.view import VERSION

FIXABLE = ("text", "model", "layer", "head", "word", "show")
"""What of a view an assignment can fix, beside the controls of the step's lab."""

CHOSEN = ("text", "model", "layer", "head", "word", "show")
TRANSIENT = ("cell", "minus", "lock")
"""What learners may always look at."""

MOST_LINES = 500


@dataclass(frozen=True)
class Choice:
    """A step that can be assigned, by the value that the form sends."""

    value: str
    lesson: Lesson
    step: Step


def routes(site: Site) -> list[BaseRoute]:
    choices = [
        Choice(path_of(lesson, step), lesson, step)
        for lesson in site.lessons
        for step in lesson.steps
    ]

    async def assign(request: Request) -> Response:
        partial = htmx_of(request).partial
        context = _context(site, choices, request)
        template = "parts/assigned.html" if partial else "assign.html"
        return site.pages.response(request, template, context, headers={"Vary": VARY})

    async def codes(request: Request) -> Response:
        lines = await _lines(request)
        handed_in = [line for line in lines.splitlines() if line.strip()]
        context: dict[str, object] = {
            "lines": lines,
            "n_handed_in": len(handed_in),
            "receipts": [site.signer.verified(line) for line in handed_in[:MOST_LINES]],
            "signs": site.signer.signs,
        }
        return site.pages.response(request, "codes.html", context, headers=_codes_kept(request))

    return [
        Route("/assign", assign),
        Route("/assign/codes", codes, methods=["GET", "POST"]),
    ]


async def _lines(request: Request) -> str:
    """The lines of a class are too long for an address, so the form posts; links may name some."""
    if request.method != "POST":
        return request.query_params.get("lines", "")
    form = parse_qs((await request.body()).decode(errors="replace"))
    return form.get("lines", [""])[0]


def _codes_kept(request: Request) -> dict[str, str]:
    """The lines have the names of a class in them."""
    if request.method == "POST":
        return {"Cache-Control": FLEETING}
    return {"Cache-Control": PERSONAL} if request.query_params.get("lines") else {}


def _context(site: Site, choices: list[Choice], request: Request) -> dict[str, object]:
    form = request.query_params
    chosen = next((each for each in choices if each.value == form.get("step")), choices[0])
    # What is left empty is as the step has it.
    extra = site.lab_of(chosen.step).controls
    query = {name: form[name] for name in (*CHOSEN, *extra) if form.get(name)}
    if (version := form.get(VERSION, "")) in chosen.lesson.versions:
        query[VERSION] = version
    page = StepPage(site, chosen.lesson, chosen.step, request, query)
    fixable = (*FIXABLE, *(name for name in extra if name not in (*FIXABLE, *TRANSIENT)))
    fixed = tuple(name for name in fixable if name in form.getlist("fixed"))
    # As the field counts: the end of a line is one letter.
    note = form.get("note", "").replace("\r\n", "\n").strip()[:LONGEST_NOTE]
    assignment = Assignment(page.path, page.whole_link, fixed, note)
    page.task.token = site.signer.token(assignment) if fixed or note else ""
    return page.context() | {
        "choices": choices,
        "chosen": chosen,
        "form": {name: form.get(name, "") for name in CHOSEN},
        "fixable": fixable,
        # What a view from a lab brought along and the form has no field for.
        "brought": {name: query[name] for name in extra if name in query and name not in CHOSEN},
        "asked_version": query.get(VERSION),
        "wanted": fixed,
        "note": note,
        "longest_note": LONGEST_NOTE,
        "signs": site.signer.signs,
        "assigned": page.address,
        "all_models": list(site.models),
    }
