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
from app.web.context import Site, path_of
from app.web.middleware.conditional_get import PERSONAL
from app.web.routes.step import StepPage


def routes(site: Site) -> list[BaseRoute]:
    async def home(request: Request) -> Response:
        openings = {lesson.slug: site.opening(lesson) for lesson in site.lessons}
        context: dict[str, object] = {
            "lessons": site.lessons,
            "path_of": path_of,
            "openings": openings,
            "maps": {slug: map_svgs(view) for slug, view in openings.items()},
        }
        return site.pages.response(request, "home.html", context)

    async def offline(request: Request) -> Response:
        return site.pages.response(request, "offline.html")

    of_lessons = [route for lesson in site.lessons for route in _of_lesson(site, lesson)]
    return [*of_lessons, Route("/", home), Route("/offline", offline)]


def _of_lesson(site: Site, lesson: Lesson) -> list[BaseRoute]:
    async def start(request: Request) -> Response:
        return _redirect(path_of(lesson, lesson.steps[0]), request.url.query)

    async def end(request: Request) -> Response:
        return _end(site, lesson, request)

    async def step_page(request: Request) -> Response:
        name = request.path_params["step"]
        step = site.step(lesson, name)
        if name != step.slug:
            return _redirect(path_of(lesson, step), request.url.query)
        return StepPage(site, lesson, step, request).response()

    path = f"/{lesson.slug}"
    return [
        Route(path, start),
        Route(f"{path}/{END_SLUG}", end),
        Route(f"{path}/{{step}}", step_page),
    ]


def _end(site: Site, lesson: Lesson, request: Request) -> Response:
    if not lesson.facts.end:
        raise HTTPException(404)
    results, name = (request.query_params.get(each, "") for each in ("results", "name"))
    receipt = problem = ""
    if results and site.signer.signs:
        try:
            numbers = {line.number for line in lesson.outline}
            receipt = site.signer.receipt(lesson.slug, results, name, numbers)
        except ValueError as error:
            problem = f"No line could be made: {error}."
    context: dict[str, object] = {
        "lesson": lesson,
        "end": lesson.facts.end,
        "end_path": request.url.path,
        "path_of": path_of,
        "signs": site.signer.signs,
        "results": results,
        "name": name,
        "receipt": receipt,
        "receipt_problem": problem,
    }
    status = 422 if problem else 200
    headers = {"Cache-Control": PERSONAL} if results or name else {}
    return site.pages.response(request, "end.html", context, status=status, headers=headers)


def _redirect(path: str, query: str) -> Response:
    return RedirectResponse(f"{path}?{query}" if query else path, 307)
