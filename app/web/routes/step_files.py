"""What a view has beside its page: a table, a handout, files, a picture of its link."""

import io
from asyncio import Lock
from contextlib import nullcontext

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.lesson.exports import file_stem
from app.lesson.labs.head_figure import head_figures
from app.models.registry import named
from app.web.context import Site
from app.web.exports import KINDS, read_look
from app.web.htmx import VARY
from app.web.rate_limit import Within
from app.web.rendering.templates import origin_of
from app.web.routes.step import StepPage
from app.web.state.query_params import told

LONGEST_QR = 1_200
"""Letters of a link, whose code then has 117 squares a side and takes 50 ms to draw."""


def routes(site: Site, within: Within) -> list[BaseRoute]:
    """Drawing and packing cost more than a page: these are asked for only `within` a limit, and
    pixels are drawn one picture at a time.
    """
    drawing = Lock()

    def page_of(request: Request) -> StepPage:
        return StepPage(site, *site.asked_for(request), request)

    async def numbers_(request: Request) -> Response:
        return numbers(page_of(request))

    async def handout_(request: Request) -> Response:
        return handout(page_of(request))

    async def qr_(request: Request) -> Response:
        await within(request)
        return await qr(page_of(request))

    async def export_(request: Request) -> Response:
        await within(request)
        return await export(page_of(request), request.path_params["file"], drawing)

    return [
        Route("/{lesson}/{step}/numbers", numbers_),
        Route("/{lesson}/{step}/handout", handout_),
        Route("/{lesson}/{step}/qr.svg", qr_),
        Route("/{lesson}/{step}/export/{file}", export_),
    ]


def numbers(page: StepPage) -> Response:
    """Every number of the chosen head's map, as a table."""
    if page.is_refused:
        return page.response()
    shown = page.lab_view().displayed
    template = "parts/numbers.html" if page.htmx.partial else "numbers.html"
    context: dict[str, object] = {
        "weights": shown.maps[shown.head].tolist(),
        "tokens": shown.tokens,
        "view": page.reading.view,
        "model": page.reading.model.card,
        "back": page.address,
    }
    return page.site.pages.response(page.request, template, context, headers={"Vary": VARY})


def handout(page: StepPage) -> Response:
    """The step on paper, with blanks; with the answers for the one who teaches.

    Its maps are those of the model that the prediction asks, so that it can be checked by hand.
    """
    if page.is_refused:
        return page.response()
    asked = page.predicted(page.reading.view)
    own = page.lab_view()
    drawn = own.for_model(asked) or own
    context = page.context() | {
        "answers": page.query.get("answers") == "1",
        "model": asked.card,
        "drawn": drawn,
        "figures": head_figures(drawn, drawn.maps),
    }
    return page.site.pages.response(page.request, "handout.html", context)


async def export(page: StepPage, file: str, drawing: Lock) -> Response:
    """The shown map, its numbers or all that makes them, as a file; pixels wait for `drawing`."""
    if file not in KINDS:
        raise HTTPException(404, f"There is no such file. There are {named(list(KINDS))}.")
    kind, view = KINDS[file], page.lab_view()
    look = read_look(page.query, page.lab.layout_for(view), problems := list(page.reading.problems))
    if problems:
        message = " ".join(problem.message for problem in told(problems))
        raise HTTPException(422, message)
    try:
        async with drawing if kind.is_drawn else nullcontext():
            content = await run_in_threadpool(kind.make, page.site.studio, view, look)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    name = f"{file_stem(view)}-{file}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind.media_type, headers=headers)


async def qr(page: StepPage) -> Response:
    """This view's link as a picture that a phone can read."""
    if page.is_refused:
        return page.response()
    link = f"{origin_of(page.request)}{page.address}"
    if len(link) > LONGEST_QR:
        raise HTTPException(422, "This link is too long for a QR code that a phone can read.")
    picture = await run_in_threadpool(_qr, link)
    return Response(picture, media_type="image/svg+xml")


def _qr(link: str) -> bytes:
    import segno  # noqa: PLC0415  # few servers need it

    picture = io.BytesIO()
    code = segno.make(link, error="l", micro=False)
    code.save(picture, kind="svg", scale=4, light="#fff", xmldecl=False)
    return picture.getvalue()
