"""Other representations of a step's view: weight table, handout, exported files, QR code."""

import io
from asyncio import Lock
from contextlib import nullcontext

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.exports.formats import FORMATS
from app.exports.metadata import file_stem
from app.lesson.labs.head_figure import head_figures
from app.models.registry import join_with_and
from app.web.context import AppContext
from app.web.htmx import VARY_REQUEST_TYPE
from app.web.rate_limit import RateLimitCheck
from app.web.rendering.templates import origin_of
from app.web.routes.step import StepRequest
from app.web.state.export_options import parse_export_options
from app.web.state.query_params import first_problems

MAX_QR_LINK_LENGTH = 1_200
"""Longest link in characters: its code has 117 modules a side and takes 50 ms to draw."""


def routes(app_context: AppContext, check_rate_limit: RateLimitCheck) -> list[BaseRoute]:
    """Return the routes. Files and QR codes are rate limited, and one PNG is drawn at a time:
    they cost more than a page.
    """
    png_lock = Lock()

    def step_request_from(request: Request) -> StepRequest:
        return StepRequest(app_context, *app_context.step_from_path(request), request)

    async def table_route(request: Request) -> Response:
        return weight_table(step_request_from(request))

    async def handout_route(request: Request) -> Response:
        return handout(step_request_from(request))

    async def qr_route(request: Request) -> Response:
        await check_rate_limit(request)
        return await qr_code(step_request_from(request))

    async def export_route(request: Request) -> Response:
        await check_rate_limit(request)
        return await export(step_request_from(request), request.path_params["file"], png_lock)

    return [
        Route("/{lesson}/{step}/numbers", table_route),
        Route("/{lesson}/{step}/handout", handout_route),
        Route("/{lesson}/{step}/qr.svg", qr_route),
        Route("/{lesson}/{step}/export/{file}", export_route),
    ]


def weight_table(step_request: StepRequest) -> Response:
    """Respond with the chosen head's attention matrix as an HTML table."""
    if step_request.is_invalid:
        return step_request.response()
    displayed = step_request.lab_state().displayed
    template = "parts/numbers.html" if step_request.htmx_details.is_partial else "numbers.html"
    context: dict[str, object] = {
        "weights": displayed.maps[displayed.head].tolist(),
        "tokens": displayed.tokens,
        "view": step_request.parsed.view,
        "model": step_request.parsed.view.model.card,
        "back": step_request.url,
    }
    return step_request.app_context.templates.response(
        step_request.request, template, context, headers={"Vary": VARY_REQUEST_TYPE}
    )


def handout(step_request: StepRequest) -> Response:
    """Respond with the step as a page to print: with blanks, or with the answers (`answers=1`).

    Maps are of the model that the prediction is computed with, so answers can be checked by hand.
    """
    if step_request.is_invalid:
        return step_request.response()
    predicted_model = step_request.predicted_model(step_request.parsed.view.selection)
    lab_state = step_request.lab_state()
    displayed = lab_state.for_model(predicted_model) or lab_state
    context = step_request.context() | {
        "answers": step_request.query.get("answers") == "1",
        "model": predicted_model.card,
        "drawn": displayed,
        "figures": head_figures(displayed, displayed.maps),
    }
    return step_request.app_context.templates.response(
        step_request.request, "handout.html", context
    )


async def export(step_request: StepRequest, file: str, png_lock: Lock) -> Response:
    """Respond with the view as a file of `FORMATS`; rendering a PNG holds `png_lock`."""
    if file not in FORMATS:
        raise HTTPException(
            404, f"There is no such file. There are {join_with_and(list(FORMATS))}."
        )
    export_format, lab_state = FORMATS[file], step_request.lab_state()
    options = parse_export_options(
        step_request.query,
        step_request.lab.layout_for(lab_state),
        problems := list(step_request.parsed.problems),
    )
    if problems:
        message = " ".join(problem.message for problem in first_problems(problems))
        raise HTTPException(422, message)
    try:
        async with png_lock if export_format.is_png else nullcontext():
            content = await run_in_threadpool(
                export_format.render, step_request.app_context.figure_renderer, lab_state, options
            )
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    name = f"{file_stem(lab_state)}-{file}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=export_format.media_type, headers=headers)


async def qr_code(step_request: StepRequest) -> Response:
    """Respond with a QR code of this view's link as SVG."""
    if step_request.is_invalid:
        return step_request.response()
    link = f"{origin_of(step_request.request)}{step_request.url}"
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
