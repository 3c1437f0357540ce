"""`/oembed` and `/embed.js`, with which other sites embed a lab."""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from app.settings import site_folder
from app.web.context import AppContext
from app.web.rendering.embed import FRAME_HEIGHT, FRAME_WIDTH, iframe_html
from app.web.state.links import origin_of

EMBEDDING_DISABLED = "This server lets no other site embed its labs: see HEADWISE_EMBED_ORIGINS."
CROSS_ORIGIN_HEADERS = {
    "Cache-Control": "public, max-age=3600",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def _split_url(url: str) -> SplitResult:
    """Split a URL; an invalid one has empty parts."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def router(app_context: AppContext) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/embed.js")
    async def host_script() -> Response:
        file = site_folder("static") / "embed-host.js"
        return FileResponse(file, media_type="text/javascript", headers=CROSS_ORIGIN_HEADERS)

    @routes.get("/oembed")
    async def oembed(
        request: Request,
        url: str,
        format: str = "json",
        maxwidth: int = FRAME_WIDTH,
        maxheight: int = FRAME_HEIGHT,
    ) -> Response:
        """Describe the frame for a link. Source: oembed.com, version 1.0."""
        if not app_context.may_be_embedded:
            raise HTTPException(404, EMBEDDING_DISABLED)
        if format != "json":
            raise HTTPException(501, "Only format=json is offered.")
        origin, target = origin_of(request), _split_url(url)
        if f"{target.scheme}://{target.netloc}" != origin:
            raise HTTPException(404, "This address is not one of this server.")
        lesson_slug, _, step_name = target.path.strip("/").partition("/")
        step = app_context.step(app_context.lesson(lesson_slug), step_name)
        query = f"{target.query}&embed=1" if target.query else "embed=1"
        width, height = max(1, min(FRAME_WIDTH, maxwidth)), max(1, min(FRAME_HEIGHT, maxheight))
        embed_url = f"{origin}{target.path}?{query}"
        answer: dict[str, Any] = {
            "version": "1.0",
            "type": "rich",
            "provider_name": "Headwise",
            "provider_url": origin,
            "title": step.config.title,
            "width": width,
            "height": height,
            "html": iframe_html(embed_url, step.config.title, width, height),
        }
        return JSONResponse(answer)

    return routes
