"""The addresses of the lesson: home, steps, the end.

These and all other pages are plain Starlette routes: FastAPI has nothing to check or to describe in
them, and costs each request more than the layers around it.
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from app.lesson import Lesson
from app.lesson.labs.head_figure import map_svgs
from app.lesson.loader import END_SLUG
from app.web.context import AppContext, path_of
from app.web.middleware.conditional_get import PRIVATE
from app.web.routes.step import StepRequest


def routes(app_context: AppContext) -> list[BaseRoute]:
    async def home(request: Request) -> Response:
        lab_states = {
            lesson.slug: app_context.first_lab_state(lesson) for lesson in app_context.lessons
        }
        context: dict[str, object] = {
            "lessons": app_context.lessons,
            "path_of": path_of,
            "openings": lab_states,
            "maps": {slug: map_svgs(view) for slug, view in lab_states.items()},
        }
        return app_context.templates.response(request, "home.html", context)

    async def offline(request: Request) -> Response:
        return app_context.templates.response(request, "offline.html")

    lesson_routes = [
        route for lesson in app_context.lessons for route in _lesson_routes(app_context, lesson)
    ]
    return [*lesson_routes, Route("/", home), Route("/offline", offline)]


def _lesson_routes(app_context: AppContext, lesson: Lesson) -> list[BaseRoute]:
    async def start(request: Request) -> Response:
        return _redirect(path_of(lesson, lesson.steps[0]), request.url.query)

    async def end(request: Request) -> Response:
        return _end_page(app_context, lesson, request)

    async def step_page(request: Request) -> Response:
        slug_or_number = request.path_params["step"]
        step = app_context.step(lesson, slug_or_number)
        if slug_or_number != step.slug:
            return _redirect(path_of(lesson, step), request.url.query)
        return StepRequest(app_context, lesson, step, request).response()

    path = f"/{lesson.slug}"
    return [
        Route(path, start),
        Route(f"{path}/{END_SLUG}", end),
        Route(f"{path}/{{step}}", step_page),
    ]


def _end_page(app_context: AppContext, lesson: Lesson, request: Request) -> Response:
    if not lesson.config.end:
        raise HTTPException(404)
    results, name = (request.query_params.get(each, "") for each in ("results", "name"))
    receipt = problem = ""
    if results and app_context.signer.is_enabled:
        try:
            step_numbers = {line.number for line in lesson.outline}
            receipt = app_context.signer.make_receipt(lesson.slug, results, name, step_numbers)
        except ValueError as error:
            problem = f"No line could be made: {error}."
    context: dict[str, object] = {
        "lesson": lesson,
        "end": lesson.config.end,
        "end_path": request.url.path,
        "path_of": path_of,
        "signs": app_context.signer.is_enabled,
        "results": results,
        "name": name,
        "receipt": receipt,
        "receipt_problem": problem,
    }
    status = 422 if problem else 200
    headers = {"Cache-Control": PRIVATE} if results or name else {}
    return app_context.templates.response(
        request, "end.html", context, status=status, headers=headers
    )


def _redirect(path: str, query: str) -> Response:
    return RedirectResponse(f"{path}?{query}" if query else path, 307)
