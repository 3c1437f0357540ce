"""The start and the end of a lesson, the playground, and the offline page.

Pages are plain Starlette routes: FastAPI has nothing to validate or to describe in them, and its
own route class costs more per request.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.lesson import Lesson
from app.lesson.loader import END_SLUG
from app.web.cache_control import PRIVATE
from app.web.context import AppContext
from app.web.routes.step import redirect_keeping_query
from app.web.state.assignments import Signer
from app.web.state.links import PLAYGROUND_PARAM, path_of


@dataclass(frozen=True)
class ReceiptForm:
    """The form for a line to hand in.

    `line` is "" before the form is sent, and if it cannot be made because of a `problem`.
    """

    name: str
    results: str
    line: str = ""
    problem: str = ""


def router(app_context: AppContext) -> APIRouter:
    async def playground(request: Request) -> Response:
        """Redirect to the first lab of the first lesson, with the request's query."""
        lesson = app_context.lessons[0]
        query = urlencode({**request.query_params, PLAYGROUND_PARAM: "1"})
        return RedirectResponse(f"{path_of(lesson, lesson.steps[0])}?{query}", 307)

    async def offline(request: Request) -> Response:
        return app_context.templates.response(request, "offline.html")

    routes = APIRouter(include_in_schema=False)
    for lesson in app_context.lessons:
        _add_lesson_routes(routes, app_context, lesson)
    routes.add_route("/offline", offline)
    if app_context.lessons:
        routes.add_route("/playground", playground)
    return routes


def _add_lesson_routes(routes: APIRouter, app_context: AppContext, lesson: Lesson) -> None:
    async def start(request: Request) -> Response:
        return redirect_keeping_query(request, path_of(lesson, lesson.steps[0]))

    async def end(request: Request) -> Response:
        return _end_page(app_context, lesson, request)

    path = f"/{lesson.slug}"
    routes.add_route(path, start)
    routes.add_route(f"{path}/{END_SLUG}", end)


def _end_page(app_context: AppContext, lesson: Lesson, request: Request) -> Response:
    if not lesson.config.end:
        raise HTTPException(404)
    params = request.query_params
    form = _receipt_form(params, lesson, app_context.signer)
    context: dict[str, object] = {
        "lesson": lesson,
        "end": lesson.config.end,
        "end_path": request.url.path,
        "receipt_form": form,
    }
    status = 422 if form and form.problem else 200
    headers = {"Cache-Control": PRIVATE} if params.get("results") or params.get("name") else {}
    return app_context.templates.response(
        request, "end.html", context, status=status, headers=headers
    )


def _receipt_form(params: QueryParams, lesson: Lesson, signer: Signer) -> ReceiptForm | None:
    """Return the form with the line that was requested; None if the server signs nothing."""
    if not signer.is_enabled:
        return None
    results, name = params.get("results", ""), params.get("name", "")
    if not results:
        return ReceiptForm(name, results)
    step_numbers = {line.number for line in lesson.outline}
    try:
        line = signer.make_receipt(lesson.slug, results, name, step_numbers)
    except ValueError as error:
        return ReceiptForm(name, results, problem=f"No line could be made: {error}.")
    return ReceiptForm(name, results, line)
