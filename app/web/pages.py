"""The addresses of the lesson: home, steps, the end."""

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.lesson.labs.figures import maps_of
from app.lesson.load import END
from app.web.conditional import PERSONAL
from app.web.site import Site, path_of
from app.web.step import StepPage


def router(site: Site) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def home(request: Request) -> Response:
        openings = {lesson.slug: site.opening(lesson) for lesson in site.lessons}
        context: dict[str, object] = {
            "lessons": site.lessons,
            "path_of": path_of,
            "openings": openings,
            "maps": {slug: maps_of(view) for slug, view in openings.items()},
        }
        return site.pages.response(request, "home.html", context)

    @routes.get("/offline")
    async def offline(request: Request) -> Response:
        return site.pages.response(request, "offline.html")

    @routes.get("/{lesson_slug}")
    async def lesson_start(request: Request, lesson_slug: str) -> Response:
        lesson = site.lesson(lesson_slug)
        return _redirect(path_of(lesson, lesson.steps[0]), request.url.query)

    @routes.get(f"/{{lesson_slug}}/{END}")
    async def end(request: Request, lesson_slug: str) -> Response:
        lesson = site.lesson(lesson_slug)
        if not lesson.facts.end:
            raise HTTPException(404)
        results, name = (request.query_params.get(each, "") for each in ("results", "name"))
        receipt = problem = ""
        if results and site.signer.signs:
            try:
                receipt = site.signer.receipt(lesson.slug, results, name)
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

    @routes.get("/{lesson_slug}/{step_name}")
    async def step_page(request: Request, lesson_slug: str, step_name: str) -> Response:
        lesson = site.lesson(lesson_slug)
        step = site.step(lesson, step_name)
        if step_name != step.slug:
            return _redirect(path_of(lesson, step), request.url.query)
        return StepPage(site, lesson, step, request).response()

    return routes


def _redirect(path: str, query: str) -> Response:
    return RedirectResponse(f"{path}?{query}" if query else path, 307)
