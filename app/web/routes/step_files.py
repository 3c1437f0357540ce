"""Other representations of a step's view: weight table, handout, exported files, QR code."""

import io
from asyncio import Lock
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.exports.figure import FigureRenderer
from app.exports.formats import FORMATS
from app.exports.metadata import file_stem
from app.lesson import LabState
from app.lesson.labs.head_figure import HeadFigure, head_figures
from app.lesson.step_code import TooManyNumbersError
from app.models.registry import join_with_and
from app.web.context import AppContext
from app.web.htmx import VARY_REQUEST_TYPE, htmx_details
from app.web.rendering.step_context import step_context
from app.web.rendering.weight_table import weight_table
from app.web.routes.step import view_response
from app.web.state.export_options import parse_export_options
from app.web.state.links import origin_of
from app.web.state.query_params import first_problems
from app.web.state.requested_view import RequestedView, requested_view

MAX_QR_LINK_LENGTH = 1_200
"""Longest link in characters: its code has 117 modules a side and takes 50 ms to draw."""


@dataclass(frozen=True)
class HandoutMap:
    """The map of one head on a handout, without the rows that answer the question."""

    figure: HeadFigure
    hidden_rows: Collection[int]

    @property
    def picture(self) -> str:
        return self.figure.picture(self.hidden_rows)


@dataclass(frozen=True)
class Handout:
    """What a handout prints besides the context of the step: the map of each head."""

    has_answers: bool
    lab_state: LabState
    maps: Sequence[HandoutMap]

    @property
    def hides_rows(self) -> bool:
        return any(each.hidden_rows for each in self.maps)


def router(app_context: AppContext) -> APIRouter:
    """Return the routes. Files and QR codes are rate limited, and one PNG is drawn at a time:
    they cost more than a page.
    """
    png_lock = Lock()

    def requested_by(request: Request) -> RequestedView:
        lesson, step = app_context.step_from_path(request)
        query = dict(request.query_params)
        return requested_view(query, lesson, step, app_context.models, app_context.signer)

    async def table_route(request: Request) -> Response:
        requested = requested_by(request)
        if requested.is_refused:
            return view_response(request, app_context, requested)
        return weight_table_response(request, app_context, requested)

    async def handout_route(request: Request) -> Response:
        requested = requested_by(request)
        if requested.is_refused:
            return view_response(request, app_context, requested)
        return handout_page(request, app_context, requested)

    async def qr_route(request: Request) -> Response:
        await app_context.check_rate_limit(request)
        requested = requested_by(request)
        if requested.is_refused:
            return view_response(request, app_context, requested)
        return await qr_code(f"{origin_of(request)}{requested.links.url}")

    async def code_route(request: Request) -> Response:
        await app_context.check_rate_limit(request)
        requested = requested_by(request)
        if requested.is_refused:
            return view_response(request, app_context, requested)
        return step_code(requested)

    async def export_route(request: Request) -> Response:
        await app_context.check_rate_limit(request)
        requested, file = requested_by(request), request.path_params["file"]
        return await export(requested, app_context.figure_renderer, file, png_lock)

    routes = APIRouter(include_in_schema=False)
    routes.add_route("/{lesson}/{step}/numbers", table_route)
    routes.add_route("/{lesson}/{step}/handout", handout_route)
    routes.add_route("/{lesson}/{step}/qr.svg", qr_route)
    routes.add_route("/{lesson}/{step}/code.py", code_route)
    routes.add_route("/{lesson}/{step}/export/{file}", export_route)
    return routes


def weight_table_response(
    request: Request, app_context: AppContext, requested: RequestedView
) -> Response:
    """Respond with the chosen head's attention matrix as an HTML table."""
    displayed = requested.lab_state.displayed
    is_partial = htmx_details(request).is_partial
    hidden_rows = requested.lab.hidden_rows(displayed).get(displayed.head, ())
    table = weight_table(displayed, hidden_rows)
    return app_context.templates.response(
        request,
        "parts/numbers.html" if is_partial else "numbers.html",
        {"table": table, "lab_url": requested.links.url},
        headers={"Vary": VARY_REQUEST_TYPE},
    )


def handout_page(request: Request, app_context: AppContext, requested: RequestedView) -> Response:
    """Respond with the step as a page to print: with blanks, or with the answers (`answers=1`).

    With answers, maps are of the model that the question is about.
    """
    has_answers = requested.query.get("answers") == "1"
    requested = requested.revealed(is_revealed=has_answers)
    state = requested.lab_state.displayed
    if has_answers:
        state = state.for_model(requested.prediction.model) or state
    hidden_rows = requested.lab.hidden_rows(state)
    maps = [
        HandoutMap(figure, hidden_rows.get(figure.head, ()))
        for figure in head_figures(state, state.maps)
    ]
    step = step_context(requested, app_context, origin_of(request))
    handout = Handout(has_answers, state, maps)
    return app_context.templates.response(
        request, "handout.html", vars(step) | {"handout": handout}
    )


async def export(
    requested: RequestedView, renderer: FigureRenderer, file: str, png_lock: Lock
) -> Response:
    """Respond with the view as a file of `FORMATS`; rendering a PNG holds `png_lock`."""
    if file not in FORMATS:
        raise HTTPException(
            404, f"There is no such file. There are {join_with_and(list(FORMATS))}."
        )
    export_format, lab_state = FORMATS[file], requested.complete_lab_state
    problems = list(requested.parsed.problems)
    shows_all_heads = lab_state.controls.panel == "heads"
    layout = "overview" if shows_all_heads else requested.lab.layout_for(lab_state)
    options = parse_export_options(requested.query, layout, problems)
    if problems:
        message = " ".join(problem.message for problem in first_problems(problems))
        raise HTTPException(422, message)
    try:
        async with png_lock if export_format.is_png else nullcontext():
            content = await run_in_threadpool(export_format.render, renderer, lab_state, options)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    name = f"{file_stem(lab_state)}-{file}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=export_format.media_type, headers=headers)


def step_code(requested: RequestedView) -> Response:
    """Respond with the code of the step and the numbers of the view, as a script."""
    if requested.step.code is None:
        raise HTTPException(404, "This step has no code.")
    if requested.lab.hides_query_rows(requested.lab_state.displayed):
        raise HTTPException(422, "The numbers answer the question of this step. Predict first.")
    try:
        script = requested.step.code.script(requested.lab_state)
    except TooManyNumbersError as error:
        raise HTTPException(422, str(error)) from error
    name = f"{requested.step.slug}.py"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(script, media_type="text/x-python", headers=headers)


async def qr_code(link: str) -> Response:
    """Respond with a QR code of a link as SVG."""
    if len(link) > MAX_QR_LINK_LENGTH:
        raise HTTPException(422, "This link is too long for a QR code that a phone can read.")
    picture = await run_in_threadpool(_qr_svg, link)
    return Response(picture, media_type="image/svg+xml")


def _qr_svg(link: str) -> bytes:
    import segno  # noqa: PLC0415  # imported on first use: most servers never draw one

    picture = io.BytesIO()
    code = segno.make(link, error="l", micro=False)
    code.save(picture, kind="svg", scale=4, light="#fff", xmldecl=False)
    return picture.getvalue()
