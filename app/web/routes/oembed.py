"""A lab in another site's page: the frame, and oEmbed, by which sites make one out of a link."""

from html import escape
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from app.settings import site_folder
from app.web.context import Site
from app.web.rendering.templates import origin_of

WIDTH, HEIGHT = 760, 900
"""Of a frame in pixels, until its lab tells its own height."""

NOT_ALLOWED = "This server lets no other site embed its labs: see HEADWISE_EMBED_ORIGINS."
FOR_ALL = {"Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin"}


def frame(address: str, title: str, width: int = WIDTH, height: int = HEIGHT) -> str:
    """HTML for a page of another site; `/embed.js` there makes the frame as high as its lab."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
    return (
        f'<iframe src="{escape(address)}" title="{escape(title)}" width="{width}"'
        f' height="{height}" data-headwise></iframe><script async src="{origin}/embed.js"></script>'
    )


def discovery(request: Request, address: str) -> str:
    """Where oEmbed tells of an address."""
    query = urlencode({"url": f"{origin_of(request)}{address}", "format": "json"})
    return f"{origin_of(request)}/oembed?{query}"


def _parts_of(address: str) -> SplitResult:
    """Empty parts of what is no address."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def router(site: Site) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/embed.js")
    async def host_script() -> Response:
        file = site_folder("static") / "embed-host.js"
        return FileResponse(file, media_type="text/javascript", headers=FOR_ALL)

    @routes.get("/oembed")
    async def oembed(
        request: Request,
        url: str,
        format: str = "json",
        maxwidth: int = WIDTH,
        maxheight: int = HEIGHT,
    ) -> Response:
        """Source: oembed.com, version 1.0."""
        if not site.may_be_embedded:
            raise HTTPException(404, NOT_ALLOWED)
        if format != "json":
            raise HTTPException(501, "Only format=json is offered.")
        origin, parts = origin_of(request), _parts_of(url)
        if f"{parts.scheme}://{parts.netloc}" != origin:
            raise HTTPException(404, "This address is not one of this server.")
        lesson_slug, _, step_name = parts.path.strip("/").partition("/")
        step = site.step(site.lesson(lesson_slug), step_name)
        query = f"{parts.query}&embed=1" if parts.query else "embed=1"
        width, height = max(1, min(WIDTH, maxwidth)), max(1, min(HEIGHT, maxheight))
        address = f"{origin}{parts.path}?{query}"
        answer: dict[str, Any] = {
            "version": "1.0",
            "type": "rich",
            "provider_name": "Headwise",
            "provider_url": origin,
            "title": step.facts.title,
            "width": width,
            "height": height,
            "html": frame(address, step.facts.title, width, height),
        }
        return JSONResponse(answer)

    return routes
