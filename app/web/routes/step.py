"""The page of a step, and the fragment of it that an edit swaps in."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.lesson import Lesson
from app.web.context import AppContext
from app.web.htmx import VARY_ALL_HTMX_HEADERS, VARY_REQUEST_TYPE, htmx_details
from app.web.middleware.security_headers import EMBEDDABLE_HEADER
from app.web.rendering.step_context import step_context
from app.web.state.links import origin_of, path_of
from app.web.state.requested_view import RequestedView, requested_view


def router(app_context: AppContext) -> APIRouter:
    """Return the route of each lesson's steps, by slug; a number redirects to the slug."""
    routes = APIRouter(include_in_schema=False)
    for lesson in app_context.lessons:
        _add_step_route(routes, app_context, lesson)
    return routes


def _add_step_route(routes: APIRouter, app_context: AppContext, lesson: Lesson) -> None:
    async def step_page(request: Request) -> Response:
        slug_or_number = request.path_params["step"]
        step = app_context.step(lesson, slug_or_number)
        if slug_or_number != step.slug:
            return redirect_keeping_query(request, path_of(lesson, step))
        query = dict(request.query_params)
        requested = requested_view(query, lesson, step, app_context.models, app_context.signer)
        return view_response(request, app_context, requested)

    routes.add_route(f"/{lesson.slug}/{{step}}", step_page)


def _page_template(requested: RequestedView) -> str:
    if requested.is_embedded:
        return "embed.html"
    return "playground.html" if requested.is_playground else "step.html"


def redirect_keeping_query(request: Request, path: str) -> Response:
    """Redirect to a path with the request's query."""
    query = request.url.query
    return RedirectResponse(f"{path}?{query}" if query else path, 307)


def view_response(request: Request, app_context: AppContext, requested: RequestedView) -> Response:
    """Return the page of a view, its fragment for htmx, or a redirect to the URL of an edit."""
    htmx, url = htmx_details(request), requested.links.url
    if requested.is_edit and not requested.is_refused and not htmx.is_partial:
        return RedirectResponse(url, 303, {"Vary": VARY_REQUEST_TYPE})
    headers = htmx.history_headers(url)
    if htmx.is_partial:
        template = "fragment.html"
        headers["Vary"] = VARY_ALL_HTMX_HEADERS
    else:
        template = _page_template(requested)
        headers["Vary"] = VARY_REQUEST_TYPE
        if requested.is_embedded:
            headers[EMBEDDABLE_HEADER] = "1"
    step = step_context(requested, app_context, origin_of(request), is_partial=htmx.is_partial)
    return app_context.templates.response(
        request,
        template,
        vars(step),
        status=422 if requested.is_refused else 200,
        headers=headers,
    )
